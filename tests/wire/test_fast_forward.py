"""Versions raised out of reach by a thief: what the hub never lets happen, and how members find back where a hub did.

A TUF client refuses a snapshot in which a role's version is lower than in the one that it trusts. It trusts none whose
key the root no longer names, and so a root that drops the hub's key gives every version below it a new start.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tuf.api.exceptions import BadVersionNumberError

from hashshare.wire import repository
from hashshare.wire.errors import VersionConflict
from tests.wire.aurora import LIST_ID, Aurora, Hand, manifest_of, two
from tests.wire.test_ngclient import fetch_manifest, updater
from tests.wire.test_rotation import rotated_feed, take

MANIFEST = manifest_of().to_bytes()
FAR = 2**50


@pytest.fixture
def aurora() -> Aurora:
    made = Aurora()
    made.publish(MANIFEST, version=1)
    return made


def fast_forwarded(aurora: Aurora, folder: Path) -> tuple[bytes, bytes]:
    """A hub that plays along with the thief of the feed key; a member takes it. What was accepted before."""
    honest, sealed = aurora.feeds[LIST_ID], aurora.snapshots
    feed = aurora.sign(MANIFEST, version=FAR)
    aurora.feeds[LIST_ID] = feed
    aurora.serve_metadata(LIST_ID, feed)
    aurora.snapshots = aurora.timestamps = FAR
    aurora.seal()
    updater(folder, aurora).get_targetinfo(f"{LIST_ID}/manifest.json")
    aurora.snapshots = aurora.timestamps = sealed
    aurora.feeds[LIST_ID] = honest
    return honest, feed


def test_a_hub_takes_no_version_but_the_next(aurora: Aurora) -> None:
    """So a thief raises a list's version by one for each commit, each of which shows in the log."""
    for version in (3, FAR):
        with pytest.raises(VersionConflict):
            aurora.commit(feed=aurora.sign(MANIFEST, version=version))


def test_members_of_a_hub_that_played_along_are_stuck_without_new_hub_keys(aurora: Aurora, tmp_path: Path) -> None:
    fast_forwarded(aurora, tmp_path)
    take(aurora, **rotated_feed(aurora, Hand()))
    with pytest.raises(BadVersionNumberError):
        updater(tmp_path, aurora).refresh()


def test_members_find_back_once_the_root_drops_the_hubs_key(aurora: Aurora, tmp_path: Path) -> None:
    """The feed's, the snapshot's and the timestamp's versions all go back, with no step at the member."""
    fast_forwarded(aurora, tmp_path)
    aurora.north = [aurora.north[1], Hand()]  # the standby took over
    root = repository.next_root(aurora.root, hub_keys=aurora.hub_keys, signers=two(aurora), now=aurora.now)
    take(aurora, root=root, **rotated_feed(aurora, Hand()))

    member = updater(tmp_path, aurora)
    assert fetch_manifest(member).version == 1
    kept = repository.read_role(LIST_ID, (tmp_path / f"{LIST_ID}.json").read_bytes())
    assert kept.version == 2


def test_a_standby_that_stays_named_gives_no_new_start_below_its_own_versions(aurora: Aurora, tmp_path: Path) -> None:
    """Only what the dropped key signed is forgotten: snapshots of the standby hold."""
    aurora.seal(by=aurora.north[1])
    updater(tmp_path, aurora).refresh()
    aurora.north = [aurora.north[1], Hand()]
    root = repository.next_root(aurora.root, hub_keys=aurora.hub_keys, signers=two(aurora), now=aurora.now)
    aurora.snapshots = aurora.timestamps = 0
    take(aurora, root=root)
    with pytest.raises(BadVersionNumberError):
        updater(tmp_path, aurora).refresh()
