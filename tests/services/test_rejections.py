"""Commits that are refused at once, releases that the worker rejects: the previous release stays served."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Signer

from hashshare.models import Commit, GuardedDigest, Job, Release, StoredObject
from hashshare.services.manifests import object_path, read_base_index
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import errors, keys, repository
from hashshare.wire.engine import literal, open_engine
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, delta_path, shard_path
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    return feed


def rejected(feed: b.Feed, manifest: Manifest, slug: str) -> dict[str, Any]:
    """Work the release off, and see it rejected for this reason with everything else as it was."""
    before = (feed.row.version, feed.row.role_version, feed.row.manifest_digest)
    job = feed.release(manifest)
    feed.row.refresh_from_db()
    assert job.state == Job.State.FAILED, job.result
    assert (feed.row.version, feed.row.role_version, feed.row.manifest_digest) == before
    release = Release.objects.get(commit__job=job)
    assert (release.state, release.reasons) == ("rejected", [job.problem])
    assert Commit.objects.get(job=job).state == "rejected"
    assert job.problem is not None
    assert job.problem["type"].rsplit("/", 1)[1] == slug, job.problem
    return dict(job.problem)


# --- Refused at once ----------------------------------------------------------------------------------------------


def signers(*private: Any) -> list[Signer]:
    return [keys.tuf_signer(key) for key in private]


def test_it_refuses_a_role_signed_by_another_key(images: b.Feed) -> None:
    assert images.manifest is not None
    with pytest.raises(errors.BadSignature):
        images.submit(images.manifest, signers=signers(keys.generate()))


def test_it_refuses_a_role_that_has_expired(images: b.Feed) -> None:
    assert images.manifest is not None
    with pytest.raises(errors.ExpiredMetadata):
        images.submit(images.manifest, life=timedelta(seconds=-1))


@pytest.mark.parametrize("version", [1, 3, 9])
def test_it_refuses_a_role_version_that_is_not_the_next(images: b.Feed, version: int) -> None:
    assert images.manifest is not None
    with pytest.raises(errors.VersionConflict):
        images.submit(images.manifest, version=version)


def test_it_refuses_a_commit_after_another_version_than_stands(images: b.Feed) -> None:
    assert images.manifest is not None
    roles = images.signed(images.manifest)
    with pytest.raises(errors.VersionConflict) as caught:
        images.publisher.submit(roles, if_match=0)
    assert caught.value.facts["current"] == 1


def test_it_refuses_a_content_version_that_is_not_the_next(images: b.Feed) -> None:
    assert images.manifest is not None
    with pytest.raises((errors.VerificationFailed, errors.VersionConflict)):
        images.submit(replace(images.manifest, entries=99))


def test_it_refuses_an_object_that_was_not_uploaded(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry())])
    StoredObject.objects.filter(name="delta-1-2.parquet").delete()
    with pytest.raises(errors.MissingObject) as caught:
        images.submit(manifest)
    assert caught.value.facts["paths"] == [delta_path(images.list_id, from_version=1, to_version=2)]


def test_it_refuses_what_is_not_a_manifest(images: b.Feed) -> None:
    with pytest.raises(errors.MalformedManifest):
        images.submit(b"{}")
    with pytest.raises(errors.MalformedMetadata):
        images.publisher.submit({images.list_id: b"{}"}, if_match=1)
    with pytest.raises(errors.MalformedMetadata):
        images.publisher.submit({images.list_id: b"\xff"}, if_match=1)


def test_it_refuses_a_manifest_that_asks_for_what_it_does_not_know(images: b.Feed) -> None:
    with pytest.raises(errors.UnknownRequirement):
        images.submit(images.next([b.upsert(b.entry())], requires=("moon-phase",)))


@pytest.mark.parametrize(
    "changes",
    [
        {"list_name": "borealis.example/images"},
        {"algorithms": ("sha256",)},
        {"scheme": "ncmec"},
        {"columns": ()},
    ],
)
def test_it_refuses_a_manifest_that_changes_what_the_list_is(images: b.Feed, changes: dict[str, Any]) -> None:
    with pytest.raises(errors.MalformedManifest):
        images.submit(images.next([b.upsert(b.entry())], **changes))


def test_it_refuses_a_foreign_list_and_a_list_that_is_not_there(images: b.Feed) -> None:
    assert images.manifest is not None
    borealis, roles = b.publisher("Borealis", "borealis.example"), images.signed(images.manifest)
    with pytest.raises(errors.NotEntitled):
        borealis.submit(roles, if_match=1)
    with pytest.raises(errors.NotEntitled):
        images.publisher.submit({"0" * 16: roles[images.list_id]}, if_match=0)


def test_it_refuses_releases_beside_targets(images: b.Feed) -> None:
    roles = images.signed(images.next([b.upsert(b.entry())]))
    roles["targets"] = images.publisher.targets
    with pytest.raises((errors.VerificationFailed, errors.VersionConflict)):
        images.publisher.submit(roles, if_match=1)


def test_it_refuses_a_root_that_leaves_out_the_hubs_keys() -> None:
    aurora = b.Publisher(b.party("hotline", "Aurora", domains=["aurora.example"]), "aurora.example")
    own = keys.tuf_signer(aurora.officer).public_key
    other = [keys.tuf_signer(keys.generate()).public_key, keys.tuf_signer(keys.generate()).public_key]
    root = repository.create_root(
        root_keys=[own], targets_keys=[own], hub_keys=other, signers=signers(aurora.officer), now=b.now()
    )
    with pytest.raises(errors.MalformedMetadata):
        aurora.submit({"root": root}, if_match=0)


# --- Rejected by the worker ---------------------------------------------------------------------------------------


def test_it_rejects_a_truncated_object(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry())])
    cut(stored(images, manifest))
    rejected(images, manifest, "wrong-digest")


def test_it_rejects_an_object_whose_bytes_changed(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry())])
    path = stored(images, manifest)
    path.write_bytes(path.read_bytes()[:-9] + secrets.token_bytes(9))
    rejected(images, manifest, "wrong-digest")


def test_it_rejects_an_object_that_vanished(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry())])
    stored(images, manifest).unlink()
    rejected(images, manifest, "missing-object")


def stored(feed: b.Feed, manifest: Manifest) -> Path:
    ref = manifest.segments[-1].object
    return object_store().local(object_key(feed.list_id, ref.sha256, ref.name))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


FORGERIES: dict[str, str] = {
    "an extra column": "SELECT *, 1 AS extra FROM good",
    "a missing column": "SELECT * EXCLUDE (md5) FROM good",
    "columns in another order": "SELECT op, reason, s, p, md5, category FROM good",
    "another type": "SELECT * REPLACE (p::VARCHAR AS p) FROM good",
    "rows out of order": "SELECT * FROM good ORDER BY p DESC",
    "a key twice": "SELECT * FROM good UNION ALL SELECT * FROM good ORDER BY p, s",
    "a short key": "SELECT * REPLACE ('\\x01'::BLOB AS s) FROM good ORDER BY p, s",
    "a short hash": "SELECT * REPLACE ('\\x01'::BLOB AS md5) FROM good ORDER BY p, s",
    "an unknown category": "SELECT * REPLACE ('Q' AS category) FROM good ORDER BY p, s",
    "an unknown operation": "SELECT * REPLACE (9::UTINYINT AS op) FROM good ORDER BY p, s",
    "a reason on an upsert": "SELECT * REPLACE ('other' AS reason) FROM good ORDER BY p, s",
}


@pytest.mark.parametrize("query", FORGERIES.values(), ids=FORGERIES.keys())
def test_it_rejects_a_segment_with(images: b.Feed, query: str) -> None:
    manifest = images.next([b.upsert(b.entry()), b.upsert(b.entry())])
    good, forged = images.folder / "delta-1-2.parquet", images.folder / "forged.parquet"
    with open_engine(read=[good], write=images.folder) as engine:
        engine.execute(f"CREATE TABLE good AS SELECT * FROM read_parquet({literal(good)})")
        engine.execute(f"COPY ({query}) TO {literal(forged)} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)")
    rejected(images, with_segment(images, manifest, forged.read_bytes()), "malformed-segment")


def test_it_rejects_what_is_not_parquet(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry())])
    rejected(images, with_segment(images, manifest, b"PAR1" + secrets.token_bytes(400) + b"PAR1"), "malformed-segment")


def test_it_rejects_counts_that_are_not_the_segments(images: b.Feed) -> None:
    manifest = images.next([b.upsert(b.entry()), b.upsert(b.entry())])
    lying = replace(manifest.segments[-1], upserts=3)
    rejected(images, replace(manifest, segments=(lying,)), "malformed-segment")


def with_segment(feed: b.Feed, manifest: Manifest, body: bytes) -> Manifest:
    """The manifest naming these bytes as its delta, with the counts of the honest one."""
    ref = feed.put(delta_path(feed.list_id, from_version=1, to_version=2), body)
    return replace(manifest, segments=(replace(manifest.segments[-1], object=ref),))


def test_it_rejects_a_count_of_entries_that_is_not_so(images: b.Feed) -> None:
    rejected(images, images.next([b.upsert(b.entry())], growth=2), "malformed-manifest")


def test_it_rejects_the_withdrawal_of_an_entry_that_is_not_held(images: b.Feed) -> None:
    stranger = b.entry()
    problem = rejected(images, images.next([b.withdraw(stranger)]), "not-live")
    assert problem["count"] == 1
    assert stranger["key"].hex() in str(problem["examples"])


def test_it_rejects_a_withdrawn_entry_unless_it_is_reinstated(images: b.Feed) -> None:
    wrong = b.entry()
    images.publish(images.next([b.upsert(wrong)]))
    images.publish(images.next([b.withdraw(wrong)]))
    rejected(images, images.next([b.upsert(wrong)]), "withdrawn-key")
    images.publish(images.next([b.reinstate(wrong)], growth=1))
    assert images.row.entries == 3


EMPTY = {"sha256": hashlib.sha256().digest(), "md5": hashlib.md5().digest()}


def test_it_rejects_the_empty_file(images: b.Feed) -> None:
    rejected(images, images.next([b.upsert(b.entry(key=EMPTY["sha256"]))]), "guarded-hash")
    rejected(images, images.next([b.upsert(b.entry(md5=EMPTY["md5"]))]), "guarded-hash")


def test_it_rejects_the_empty_file_in_a_first_version() -> None:
    feed = b.feed(b.publisher())
    rejected(feed, feed.first([b.entry(key=EMPTY["sha256"])]), "guarded-hash")
    rejected(feed, feed.first([b.entry(), b.entry(md5=EMPTY["md5"])]), "guarded-hash")


def test_it_rejects_what_the_operator_guards(images: b.Feed) -> None:
    logo = b.entry()
    GuardedDigest.objects.create(algorithm="md5", digest=logo["md5"].hex(), note="A logo")
    rejected(images, images.next([b.upsert(logo)]), "guarded-hash")


def test_it_rejects_an_index_that_lies() -> None:
    feed = b.feed(b.publisher())
    manifest = feed.first([b.entry(), b.entry()])
    shard = read_base_index(manifest.base.index).shards[0]
    lying = feed.base_manifest((replace(shard, entries=3),))
    rejected(feed, lying, "malformed-segment")


def test_it_rejects_shards_that_hold_a_key_twice() -> None:
    """Each is sound, and the index is right about both."""
    feed, twice = b.feed(b.publisher()), b.entry()
    one = read_base_index(feed.first([twice]).base.index).shards[0]
    copy = feed.put(shard_path(feed.list_id, version=1, number=1), object_path(one.object).read_bytes())
    problem = rejected(feed, feed.base_manifest((one, replace(one, object=copy))), "malformed-manifest")
    assert "overlap" in problem["detail"]


def test_it_rejects_metadata_that_expires_before_the_worker_comes(images: b.Feed) -> None:
    job = images.submit(images.next([b.upsert(b.entry())]), life=timedelta(seconds=1), now=b.now())
    time.sleep(1.1)
    assert b.worked(job).state == "failed"
    assert job.problem is not None and job.problem["type"].endswith("/expired-metadata")


def test_it_names_a_reference_of_its_own(images: b.Feed) -> None:
    """The builder's objects are what they claim to be, so that the tests above reject for the right reason."""
    assert images.manifest is not None
    ref = images.manifest.base.index
    assert ref == ObjectRef.of(ref.path, object_store().local(f"{images.list_id}/{ref.sha256}.{ref.name}").read_bytes())
