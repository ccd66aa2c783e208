"""The unmodified TUF client of members, on what this package makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.exceptions import (
    BadVersionNumberError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.ngclient import Updater

from hashshare.wire import repository
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, delta_path, manifest_path
from tests.wire.aurora import (
    LIST_ID,
    OTHER_LIST_ID,
    Aurora,
    Hand,
    ServedFrom,
    hands,
    keys_of,
    manifest_of,
    segment_of,
    signers_of,
)

SEGMENT = b"PAR1 not really PAR1"


def updater(folder: Path, aurora: Aurora, *, root: bytes | None = None) -> Updater:
    """A new one for each refresh, as the library wants it, over the same folder."""
    folder.mkdir(exist_ok=True)
    return Updater(
        str(folder),
        "https://north.example/metadata/",
        str(folder),
        "https://north.example/targets/",
        fetcher=ServedFrom(aurora.served),
        bootstrap=root or aurora.served["metadata/1.root.json"],
    )


def with_segment() -> Manifest:
    ref = ObjectRef.of(delta_path(LIST_ID, from_version=1, to_version=2), SEGMENT)
    return manifest_of(replace(segment_of(LIST_ID, 1, 2), object=ref))


def fetch_manifest(member: Updater) -> Manifest:
    target = member.get_targetinfo(manifest_path(LIST_ID))
    assert target is not None
    return Manifest.parse(Path(member.download_target(target)).read_bytes())


def test_it_fetches_a_manifest_and_its_segment(tmp_path: Path) -> None:
    aurora = Aurora()
    sent = with_segment()
    aurora.publish(sent.to_bytes(), version=1)
    aurora.serve_object(sent.segments[0].object, SEGMENT)

    member = updater(tmp_path, aurora)
    received = fetch_manifest(member)

    assert received == sent
    fetched = member.download_target(received.segments[0].object.to_target(), str(tmp_path / "segment.parquet"))
    assert Path(fetched).read_bytes() == SEGMENT


def test_it_refuses_a_tampered_segment(tmp_path: Path) -> None:
    aurora = Aurora()
    sent = with_segment()
    aurora.publish(sent.to_bytes(), version=1)
    aurora.serve_object(sent.segments[0].object, SEGMENT.replace(b"not", b"nut"))
    member = updater(tmp_path, aurora)

    with pytest.raises(LengthOrHashMismatchError):
        member.download_target(fetch_manifest(member).segments[0].object.to_target(), str(tmp_path / "s"))
    assert not (tmp_path / "s").exists()


def test_it_follows_releases_and_bare_refreshes(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1
    aurora.publish(manifest_of().to_bytes(), version=2)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1
    aurora.publish(with_segment().to_bytes(), version=3)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 2


def test_it_follows_root_rotation_from_version_1(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    newcomers = hands(3)
    everybody = signers_of(aurora.officers[:2]) + signers_of(newcomers[:2])
    rotated = repository.next_root(
        aurora.root, root_keys=keys_of(newcomers), targets_keys=keys_of(newcomers), signers=everybody, now=aurora.now
    )
    targets = repository.renew_targets(aurora.targets, signers=signers_of(newcomers[:2]), now=aurora.now)
    aurora.commit(root=rotated, targets=targets)
    aurora.root, aurora.targets = rotated, targets
    aurora.serve_metadata("root", rotated)
    aurora.serve_metadata("targets", targets)
    aurora.seal()

    assert fetch_manifest(updater(tmp_path, aurora)).version == 1


def test_it_accepts_the_standby_key_without_a_ceremony(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    updater(tmp_path, aurora).refresh()
    aurora.seal(by=aurora.north[1])

    assert fetch_manifest(updater(tmp_path, aurora)).version == 1


def test_a_new_list_and_a_rotated_feed_key_reach_members(tmp_path: Path) -> None:
    aurora, new_feed = Aurora(), Hand()
    aurora.publish(manifest_of().to_bytes(), version=1)
    two = signers_of(aurora.officers[:2])
    rotated = repository.delegate_list(
        aurora.targets, list_id=LIST_ID, keys=[new_feed.key], signers=two, now=aurora.now
    )
    again = aurora.sign(manifest_of().to_bytes(), version=2, by=new_feed)
    aurora.commit(targets=rotated, feed=again)
    aurora.targets, aurora.feeds = rotated, {LIST_ID: again}
    aurora.serve_metadata("targets", rotated)
    aurora.serve_metadata(LIST_ID, again)
    aurora.seal()

    assert fetch_manifest(updater(tmp_path, aurora)).version == 1


def test_it_refuses_a_replay_of_the_whole_old_state(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    old = dict(aurora.served)
    aurora.publish(with_segment().to_bytes(), version=2)
    updater(tmp_path, aurora).refresh()
    aurora.served = old

    with pytest.raises(BadVersionNumberError):
        updater(tmp_path, aurora).refresh()


def test_it_refuses_a_snapshot_of_a_hostile_hub_that_names_an_older_feed(tmp_path: Path) -> None:
    aurora = Aurora()
    first = aurora.publish(manifest_of().to_bytes(), version=1)
    aurora.publish(with_segment().to_bytes(), version=2)
    updater(tmp_path, aurora).refresh()
    aurora.feeds[LIST_ID] = first
    aurora.seal()

    with pytest.raises(BadVersionNumberError):
        updater(tmp_path, aurora).refresh()


def test_it_refuses_a_snapshot_that_leaves_a_list_out(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    updater(tmp_path, aurora).refresh()
    aurora.feeds.clear()
    aurora.seal()

    with pytest.raises(RepositoryError, match="missing info"):
        updater(tmp_path, aurora).refresh()


def test_it_refuses_mixed_versions(tmp_path: Path) -> None:
    """The snapshot names feed version 2 by digest; the hub serves other bytes under its name."""
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    aurora.publish(with_segment().to_bytes(), version=2)
    aurora.served[f"metadata/2.{LIST_ID}.json"] = aurora.sign(manifest_of().to_bytes(), version=2)

    with pytest.raises(LengthOrHashMismatchError):
        updater(tmp_path, aurora).get_targetinfo(manifest_path(LIST_ID))


def test_it_refuses_a_feed_of_a_foreign_key_even_from_the_hub(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)
    forged = aurora.sign(with_segment().to_bytes(), version=2, by=aurora.north[0])
    aurora.feeds[LIST_ID] = forged
    aurora.serve_metadata(LIST_ID, forged)
    aurora.seal()

    with pytest.raises(UnsignedMetadataError):
        updater(tmp_path, aurora).get_targetinfo(manifest_path(LIST_ID))


def test_a_feed_cannot_speak_for_another_list(tmp_path: Path) -> None:
    aurora = Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)

    assert updater(tmp_path, aurora).get_targetinfo(manifest_path(OTHER_LIST_ID)) is None


@pytest.mark.parametrize("days", [2, 8, 15, 91, 366])
def test_it_notices_a_hub_that_stands_still(tmp_path: Path, days: int) -> None:
    """However fresh the hub's own metadata, what it withholds from the publisher shows when the next role expires."""
    aurora = Aurora(now=Aurora.now - timedelta(days=days))
    aurora.publish(manifest_of().to_bytes(), version=1)
    if days > 8:
        aurora.now = Aurora.now
        aurora.seal()

    with pytest.raises(ExpiredMetadataError):
        updater(tmp_path, aurora).get_targetinfo(manifest_path(LIST_ID))


def test_another_publishers_root_verifies_nothing(tmp_path: Path) -> None:
    aurora, borealis = Aurora(), Aurora()
    aurora.publish(manifest_of().to_bytes(), version=1)

    with pytest.raises(UnsignedMetadataError):
        updater(tmp_path, aurora, root=borealis.root).refresh()
