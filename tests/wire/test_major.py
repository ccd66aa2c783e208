"""The major role: two hands of the publisher say that a large loss is meant, and no feed can say it for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.ngclient import Updater

from hashshare.wire import repository
from hashshare.wire.errors import (
    BadSignature,
    MalformedMajor,
    MalformedMetadata,
    UsageError,
    VersionConflict,
)
from hashshare.wire.limits import MAX_MAJORS
from hashshare.wire.major import Major, needs_major, parse_major_path
from hashshare.wire.objects import ObjectRef, manifest_path
from tests.wire.aurora import (
    LIST_ID,
    NOW,
    OTHER_LIST_ID,
    Aurora,
    Hand,
    ServedFrom,
    edited,
    hands,
    keys_of,
    major_of,
    manifest_of,
    next_version,
    segment_of,
    signers_of,
    two,
)

MANIFEST = manifest_of(segment_of(LIST_ID, 1, 2, withdrawals=300))
MAJOR = major_of(MANIFEST, lost=300)
TARGET = {"length": 5, "hashes": {"sha256": "00" * 32}}


@pytest.fixture
def aurora() -> Aurora:
    made = Aurora()
    made.delegate_major()
    made.publish(manifest_of().to_bytes(), version=1)
    return made


def updater(folder: Path, aurora: Aurora) -> Updater:
    folder.mkdir(exist_ok=True)
    return Updater(
        str(folder),
        "https://north.example/metadata/",
        str(folder),
        "https://north.example/targets/",
        fetcher=ServedFrom(aurora.served),
        bootstrap=aurora.served["metadata/1.root.json"],
    )


# --- the rule and the document -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "held", "needed"),
    [(100, 0, False), (101, 0, True), (101, 10_100, False), (102, 10_100, True), (100, 200, False), (0, 0, False)],
)
def test_more_than_a_hundred_and_a_hundredth_needs_a_major(lost: int, held: int, needed: bool) -> None:
    assert needs_major(lost=lost, held=held) is needed


def test_a_document_reads_back_with_what_it_does_not_know() -> None:
    given = replace(MAJOR, extra={"later": 1})
    assert Major.parse(given.to_bytes()) == given
    assert parse_major_path(given.path) == (LIST_ID, 2)


DOCUMENT_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": lambda it: it.update(format="hashshare-major/2"),
    "an unknown requirement": lambda it: it.update(requires=["quorum"]),
    "no loss": lambda it: it.update(lost=0),
    "a loss that is no integer": lambda it: it.update(lost=1.5),
    "another list's manifest": lambda it: it["manifest"].update(path=manifest_path(OTHER_LIST_ID)),
    "no digest": lambda it: it["manifest"].pop("hashes"),
    "no name": lambda it: it["list"].pop("name"),
    "too long": lambda it: it.update(more="x" * 5_000),
}


@pytest.mark.parametrize("fault", DOCUMENT_FAULTS)
def test_it_refuses_a_document_of_another_shape(fault: str) -> None:
    document = json.loads(MAJOR.to_bytes())
    DOCUMENT_FAULTS[fault](document)
    with pytest.raises(MalformedMajor):
        Major.parse(json.dumps(document).encode())


@pytest.mark.parametrize(
    "path", [f"{LIST_ID}/major-0.json", f"{LIST_ID}/major-02.json", f"{LIST_ID}/manifest.json", "x/major-1.json", ""]
)
def test_other_paths_are_no_majors(path: str) -> None:
    assert parse_major_path(path) is None


# --- the hub -----------------------------------------------------------------------------------------------------


def test_the_hub_accepts_it_by_two_hands(aurora: Aurora) -> None:
    commit = aurora.commit_roles({"major": aurora.sign_major(MAJOR)})
    assert commit.major is not None
    assert commit.major.name == "1.major.json"
    assert repository.major_documents(commit.major.body) == {(LIST_ID, 2): MAJOR.ref}
    assert repository.list_ids(aurora.targets) == (LIST_ID,)


def test_it_rejects_one_hand_and_the_same_hand_twice(aurora: Aurora) -> None:
    one = aurora.seconds[0]
    for by in ([one], [one, one], [one, aurora.feed], [aurora.officers[0], one]):
        with pytest.raises(BadSignature) as refusal:
            aurora.commit_roles({"major": aurora.sign_major(MAJOR, by=by)})
        assert (refusal.value.facts["role"], refusal.value.facts["need"]) == ("major", 2)


def test_versions_rise_by_one(aurora: Aurora) -> None:
    first = aurora.sign_major(MAJOR)
    aurora.publish_major(MAJOR)
    with pytest.raises(VersionConflict):
        aurora.commit_roles({"major": first})
    again = aurora.sign_major(major_of(manifest_of(segment_of(LIST_ID, 1, 3))))
    assert set(repository.major_documents(again)) == {(LIST_ID, 2), (LIST_ID, 3)}
    aurora.commit_roles({"major": again})
    skipped = repository.sign_major(again, signers=signers_of(aurora.seconds[:2]), now=NOW)
    with pytest.raises(VersionConflict):
        aurora.commit_roles({"major": skipped})


def test_it_rejects_it_from_a_publisher_without_the_role() -> None:
    aurora = Aurora()
    with pytest.raises(MalformedMetadata, match="no major role"):
        aurora.commit_roles({"major": aurora.sign_major(MAJOR)})


MAJOR_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a manifest": lambda it: it["targets"].update({manifest_path(LIST_ID): TARGET}),
    "a path above": lambda it: it["targets"].update({f"{LIST_ID}/../major-1.json": TARGET}),
    "a large document": lambda it: it["targets"].update({f"{LIST_ID}/major-3.json": TARGET | {"length": 4_097}}),
    "a second hash": lambda it: it["targets"][MAJOR.path]["hashes"].update(sha512="00" * 64),
    "delegations": lambda it: it.update(delegations={"keys": {}, "roles": []}),
    "too many": lambda it: it["targets"].update({f"{LIST_ID}/major-{n}.json": TARGET for n in range(3, 1_003)}),
}


@pytest.mark.parametrize("fault", MAJOR_FAULTS)
def test_it_rejects_majors_of_another_shape(aurora: Aurora, fault: str) -> None:
    body = edited(aurora.sign_major(MAJOR), MAJOR_FAULTS[fault], signers_of(aurora.seconds[:2]))
    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit_roles({"major": body})
    assert refusal.value.facts == {"role": "major"}


def test_the_oldest_documents_make_room(aurora: Aurora) -> None:
    ref = ObjectRef.of(manifest_path(LIST_ID), b"")
    many = [Major(LIST_ID, "aurora.example/images", n, 200, ref) for n in range(1, MAX_MAJORS + 3)]
    other = Major(OTHER_LIST_ID, "aurora.example/video", 1, 200, ObjectRef.of(manifest_path(OTHER_LIST_ID), b""))
    kept = repository.major_documents(aurora.sign_major(other, *many))
    assert len(kept) == MAX_MAJORS
    assert (OTHER_LIST_ID, 1) in kept
    assert min(version for list_id, version in kept if list_id == LIST_ID) == 4


# --- the delegation ----------------------------------------------------------------------------------------------


def in_major(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda signed: signed["delegations"]["roles"][0].update(changes)


def behind_the_feeds(signed: dict[str, Any]) -> None:
    signed["delegations"]["roles"].reverse()


def of_the_feed_key(signed: dict[str, Any]) -> None:
    major, feed = signed["delegations"]["roles"]
    major["keyids"].append(feed["keyids"][0])


def one_key_twice(signed: dict[str, Any]) -> None:
    keys, major = signed["delegations"]["keys"], signed["delegations"]["roles"][0]
    keys["ab" * 32] = keys[major["keyids"][0]]
    major["keyids"] = [major["keyids"][0], "ab" * 32]


def removed(signed: dict[str, Any]) -> None:
    major = signed["delegations"]["roles"].pop(0)
    for keyid in major["keyids"]:
        del signed["delegations"]["keys"][keyid]


DELEGATION_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "one signature": in_major(threshold=1),
    "more signatures than keys": in_major(threshold=4),
    "not terminating": in_major(terminating=False),
    "every path": in_major(paths=["*/*"]),
    "more paths": in_major(paths=["*/major-*.json", "*/manifest.json"]),
    "one key under two ids": one_key_twice,
    "behind the feeds": behind_the_feeds,
    "of the feed's key": of_the_feed_key,
    "removed": removed,
    "another name": in_major(name="minor"),
}


@pytest.mark.parametrize("fault", DELEGATION_FAULTS)
def test_it_rejects_a_major_role_of_another_shape(aurora: Aurora, fault: str) -> None:
    def edit(signed: dict[str, Any]) -> None:
        next_version(signed)
        DELEGATION_FAULTS[fault](signed)

    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit(targets=edited(aurora.targets, edit, two(aurora)))
    assert refusal.value.facts["role"] == "targets"


def test_it_rejects_a_major_role_of_the_hubs_key(aurora: Aurora) -> None:
    with pytest.raises(MalformedMetadata):
        aurora.delegate_major(keys=keys_of([*aurora.seconds, aurora.north[1]]))


def test_the_tool_refuses_a_threshold_of_one(aurora: Aurora) -> None:
    for options in ({"threshold": 1}, {"keys": keys_of(aurora.seconds[:1])}):
        with pytest.raises(UsageError):
            aurora.delegate_major(**options)


def test_new_keys_need_the_majors_signed_anew(aurora: Aurora) -> None:
    aurora.publish_major(MAJOR)
    newcomers = hands(2)
    targets = repository.delegate_major(aurora.targets, keys=keys_of(newcomers), signers=two(aurora), now=NOW)
    with pytest.raises(BadSignature):
        aurora.commit(targets=targets)
    aurora.commit_roles({"targets": targets, "major": aurora.sign_major(by=newcomers)})


def test_a_list_delegated_later_leaves_the_major_role_first(aurora: Aurora) -> None:
    targets = repository.delegate_list(
        aurora.targets, list_id=OTHER_LIST_ID, keys=[Hand().key], signers=two(aurora), now=NOW
    )
    aurora.commit(targets=targets)
    assert repository.list_ids(targets) == (LIST_ID, OTHER_LIST_ID)


# --- the unmodified client of members ----------------------------------------------------------------------------


def test_members_find_majors_by_their_role_and_manifests_by_the_feed(tmp_path: Path, aurora: Aurora) -> None:
    aurora.publish(MANIFEST.to_bytes(), version=2)
    aurora.publish_major(MAJOR)
    member = updater(tmp_path, aurora)
    target = member.get_targetinfo(MAJOR.path)
    assert target is not None
    assert Major.parse(Path(member.download_target(target)).read_bytes()) == MAJOR
    found = member.get_targetinfo(manifest_path(LIST_ID))
    assert found is not None
    assert found.hashes["sha256"] == MAJOR.manifest.sha256


def test_a_feed_cannot_sign_majors_for_members(tmp_path: Path, aurora: Aurora) -> None:
    """Not even with a hub that lets it: the major role answers for those paths, and ends the search."""
    metadata = Metadata[Targets].from_bytes(aurora.feeds[LIST_ID])
    metadata.signed.version = 2
    metadata.signed.targets[MAJOR.path] = TargetFile(MAJOR.ref.length, {"sha256": MAJOR.ref.sha256}, MAJOR.path)
    metadata.sign(aurora.feed.signer)
    forged = metadata.to_bytes()
    aurora.feeds[LIST_ID] = forged
    aurora.serve_metadata(LIST_ID, forged)
    aurora.seal()
    with pytest.raises(RepositoryError, match="not part of snapshot"):
        updater(tmp_path / "a", aurora).get_targetinfo(MAJOR.path)
    aurora.publish_major(major_of(manifest_of(segment_of(LIST_ID, 1, 9))))
    assert updater(tmp_path / "b", aurora).get_targetinfo(MAJOR.path) is None


def test_members_refuse_a_snapshot_that_loses_the_majors(tmp_path: Path, aurora: Aurora) -> None:
    aurora.publish_major(MAJOR)
    updater(tmp_path, aurora).refresh()
    aurora.major = None
    aurora.seal()
    with pytest.raises(RepositoryError, match="missing info"):
        updater(tmp_path, aurora).refresh()


def test_members_go_on_with_an_expired_major_role(tmp_path: Path) -> None:
    """It is looked at only where a large loss asks for it."""
    aurora = Aurora(now=Aurora.now - timedelta(days=1_097))
    aurora.delegate_major()
    aurora.publish_major(MAJOR)
    aurora.now = Aurora.now
    aurora.root = repository.next_root(aurora.root, signers=two(aurora), now=NOW)
    aurora.targets = repository.renew_targets(aurora.targets, signers=two(aurora), now=NOW)
    aurora.serve_metadata("root", aurora.root)
    aurora.serve_metadata("targets", aurora.targets)
    aurora.publish(MANIFEST.to_bytes(), version=1)
    assert updater(tmp_path, aurora).get_targetinfo(manifest_path(LIST_ID)) is not None
