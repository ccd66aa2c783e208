"""`publish` merges the chain's neighbours as it goes; the hub proves each merge, and nothing is downloaded for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hashshare.client.publisher import find_list
from hashshare.client.store import ListStore
from hashshare.wire.chain import merge_candidates
from hashshare.wire.manifest import Manifest
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.proof import Prover

CHANGES = ("op", "reason", *HEADER)


@pytest.fixture
def feed(images: Desk, north: North, tmp_path: Path) -> Desk:
    """A list of 500, at a hub that proves what it is given."""
    north.verdict = Prover(north, tmp_path / "proof")
    images.json("publish", LIST, images.csv(entries(range(500)), header=HEADER))
    return images


def publish_changes(desk: Desk, number: int, *words: str) -> dict[str, object]:
    """Two entries added, one updated and one withdrawn, different ones each time."""
    rows = [("upsert", "", *entry(1000 + 2 * number + i)) for i in (0, 1)]
    rows += [("upsert", "", *entry(number, "C")), ("withdraw", "superseded", entry(400 - number)[0], "", "")]
    file = desk.csv(rows, header=CHANGES, name="changes.csv")
    done: dict[str, object] = desk.json("publish", LIST, file, "--changes", "--no-renew-base", *words)
    return done


def chain_of(desk: Desk, north: North) -> Manifest:
    return north.shelf.manifests[find_list(desk.home, LIST).list_id]


def test_it_merges_neighbours_in_the_same_commit(feed: Desk, north: North) -> None:
    merged = [publish_changes(feed, number)["merged_segments"] for number in range(8)]
    assert merged[:2] == [0, 0]
    assert any(merged)
    manifest = chain_of(feed, north)
    assert manifest.version == 9
    assert len(manifest.segments) < 8
    assert merge_candidates(manifest.segments, keep={manifest.base.version}) == ()
    assert manifest.entries == 500 + 8


def test_it_downloads_nothing_and_holds_what_the_manifest_names(feed: Desk, north: North) -> None:
    north.asked.clear()
    for number in range(6):
        publish_changes(feed, number)
    assert not [path for method, path in north.asked if method == "GET" and path.endswith(".parquet")]
    held = ListStore(feed.home, find_list(feed.home, LIST).list_id).held()
    assert held is not None
    named = [segment.object.sha256 for segment in chain_of(feed, north).segments]
    assert [part.sha256 for part in (*held.earlier, *held.deltas)] == named


def test_it_still_knows_what_a_merged_segment_withdrew(feed: Desk) -> None:
    for number in range(6):
        publish_changes(feed, number)
    back = feed.csv([("upsert", "", *entry(400))], header=CHANGES, name="back.csv")
    assert feed.json("publish", LIST, back, "--changes", exit_code=6)["error"]["type"] == "withdrawn-key"
    assert feed.json("publish", LIST, back, "--changes", "--reinstate", entry(400)[0])["reinstated"] == 1


def test_it_tells_how_many_were_merged(feed: Desk) -> None:
    said = ""
    for number in range(4):
        file = feed.csv([("upsert", "", *entry(2000 + number))], header=CHANGES, name="more.csv")
        said += feed.run("publish", LIST, file, "--changes").stdout
    assert "segments merged with their neighbours" in said


def test_it_rebuilds_a_lost_state_from_the_hub(feed: Desk, north: North) -> None:
    for number in range(5):
        publish_changes(feed, number)
    store = ListStore(feed.home, find_list(feed.home, LIST).list_id)
    shutil.rmtree(store.folder)
    north.asked.clear()
    done = publish_changes(feed, 5)
    assert (done["before"], done["version"], done["entries"]) == (6, 7, 506)
    assert [path for method, path in north.asked if method == "GET" and path.endswith(".parquet")]
    back = feed.csv([("upsert", "", *entry(400))], header=CHANGES, name="back.csv")
    assert feed.json("publish", LIST, back, "--changes", exit_code=6)["error"]["type"] == "withdrawn-key"


def test_it_refuses_a_damaged_object_when_it_rebuilds(feed: Desk, north: North) -> None:
    publish_changes(feed, 0)
    shutil.rmtree(ListStore(feed.home, find_list(feed.home, LIST).list_id).folder)
    path = next(path for path in north.shelf.objects if "base-1-0000" in path)
    north.shelf.objects[path] = bytes(reversed(north.shelf.objects[path]))
    failed = feed.json("publish", LIST, feed.folder / "changes.csv", "--changes", exit_code=4)
    assert failed["error"]["type"] == "wrong-digest"
