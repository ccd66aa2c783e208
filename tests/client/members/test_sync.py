"""Bringing a list up to date: what is fetched, what is held afterwards."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest

from hashshare.client.sync import Synced, heads, sync_list
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import (
    HashshareError,
    MalformedManifest,
    NetworkError,
    NotEntitled,
    UnknownRequirement,
    VerificationFailed,
)
from hashshare.wire.segments import verify_segment
from tests.client.members.aurora import FMT, Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North

_usage = namedtuple("_usage", "total used free")


def sync(cobalt: Cobalt, aurora: Aurora, *, accept_shrink: bool = False, history: bool = False) -> Synced:
    session = cobalt.session
    head = next(head for head in heads(session, cobalt.home) if head.list_id == aurora.list_id)
    return sync_list(session, cobalt.home, head, accept_shrink=accept_shrink, history=history)


def held_keys(cobalt: Cobalt, aurora: Aurora) -> set[bytes]:
    """The naive fold over the held files, in the order in which the store applies them."""
    store, live = cobalt.store(aurora), set()
    held = store.held()
    assert held is not None
    for part in held.base + held.deltas:
        path = store.object_path(part.sha256)
        op = "op" if part.from_version else "1"
        with open_engine(read=[path]) as engine:
            rows = engine.execute(f"SELECT {op}, p, s FROM read_parquet('{path}')").fetchall()
        for operation, p, s in rows:
            key = int(p).to_bytes(8) + bytes(s)
            live.discard(key) if operation == 2 else live.add(key)
    return live


def test_releases_that_do_the_same_are_fetched_once(cobalt: Cobalt, aurora: Aurora) -> None:
    """As two changes of nothing but the policy do: their segments are the same bytes."""
    sync(cobalt, aurora)
    aurora.release()
    aurora.release()
    done = sync(cobalt, aurora)
    assert (done.before, done.version, done.segments) == (1, 3, 1)
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_it_fetches_the_whole_list_first(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(50))
    done = sync(cobalt, aurora)
    assert (done.before, done.version, done.full, done.entries) == (None, 2, True, 50)
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_it_holds_an_empty_list(cobalt: Cobalt, aurora: Aurora) -> None:
    done = sync(cobalt, aurora)
    assert (done.version, done.segments, done.entries) == (1, 0, 0)


def test_it_fetches_only_the_deltas_afterwards(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    first = items(30)
    aurora.release(first)
    sync(cobalt, aurora)
    north.requests.clear()
    aurora.release(items(5), first[:2])
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert (done.before, done.version, done.segments) == (2, 4, 2)
    assert (done.upserts, done.withdrawals, done.entries) == (6, 2, 34)
    assert sum(path.endswith(".parquet") for path in north.paths()) == 2
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_a_poll_with_nothing_new_is_one_request(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(3))
    assert cobalt.run("sync").status == 0
    north.requests.clear()
    done = cobalt.run("sync", "--json")
    assert done.json["lists"][0]["changed"] is False
    assert [(method, path) for method, path, _ in north.requests] == [("GET", "/api/v1/heads")]
    assert "If-None-Match" in north.requests[0][2]


def test_a_refreshed_role_costs_no_object(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(3))
    sync(cobalt, aurora)
    manifest = cobalt.store(aurora).manifest_bytes()
    aurora.sign(manifest)
    north.requests.clear()
    done = sync(cobalt, aurora)
    held = cobalt.store(aurora).held()
    assert held is not None
    assert (done.changed, held.role_version) == (False, aurora.role_version)
    assert not [path for path in north.paths() if "/targets/" in path]


def test_it_refreshes_the_metadata_when_the_timestamp_ages(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(3))
    sync(cobalt, aurora)
    timestamp = cobalt.home.publisher_dir(aurora.domain) / "metadata" / "timestamp.json"
    past = time.time() - 30 * 86_400
    os.utime(timestamp, (past, past))
    north.requests.clear()
    sync(cobalt, aurora)
    assert any(path.endswith("timestamp.json") for path in north.paths())


def test_it_takes_merged_segments(cobalt: Cobalt, aurora: Aurora) -> None:
    first = items(20)
    aurora.release(first)
    aurora.release(items(2))
    sync(cobalt, aurora)
    for _ in range(4):
        aurora.release(items(2), [first.pop()])
    aurora.merge(2, 6)
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    held = cobalt.store(aurora).held()
    assert held is not None
    assert (done.before, done.version, done.segments) == (3, 8, 3)
    # The merged 2-6 stands in place of the 2-3 that was held.
    assert [(part.from_version, part.to_version) for part in held.deltas] == [(1, 2), (2, 6), (6, 7), (7, 8)]
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_it_takes_a_base_of_several_shards(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(100))
    aurora.renew_base(shard_entries=30)
    aurora.drop_segments()
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    held = cobalt.store(aurora).held()
    assert held is not None
    assert len(held.base) >= 3
    assert (done.full, done.segments) == (True, len(held.base) + 1)
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_it_starts_over_from_the_base_when_the_chain_no_longer_reaches_back(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(10))
    sync(cobalt, aurora)
    aurora.release(items(10))
    aurora.renew_base()
    aurora.drop_segments()
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert (done.before, done.full, done.entries) == (2, True, 21)
    assert held_keys(cobalt, aurora) == set(aurora.live)
    files = {path.name for path in (cobalt.store(aurora).folder / "objects").iterdir()}
    held = cobalt.store(aurora).held()
    assert held is not None
    assert files == {f"{part.sha256}.parquet" for part in held.objects}


def test_it_keeps_what_tells_a_publisher_of_withdrawals(cobalt: Cobalt, aurora: Aurora) -> None:
    first = items(10)
    aurora.release(first)
    aurora.release((), first[:1])
    aurora.renew_base()
    aurora.release(items(1))
    sync(cobalt, aurora, history=True)
    held = cobalt.store(aurora).held()
    assert held is not None
    assert [(part.from_version, part.to_version) for part in held.earlier] == [(1, 2), (2, 3)]


def test_it_follows_a_new_root(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(1))
    sync(cobalt, aurora)
    aurora.rotate_root()
    aurora.release(items(1))
    assert sync(cobalt, aurora).version == 3


def test_it_says_that_a_list_was_closed(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(1))
    aurora.status = "withdrawn"
    aurora.refresh()
    sync(cobalt, aurora)
    done = cobalt.run("status", "--json")
    assert done.json["lists"][0]["status"] == "withdrawn"


# --- what it refuses ---------------------------------------------------------------------------------------------


def test_it_rejects_an_older_content_version(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    older = aurora.manifest(2).to_bytes()
    aurora.release(items(5))
    sync(cobalt, aurora)
    aurora.sign(older)
    with pytest.raises(VerificationFailed, match="version 2"):
        sync(cobalt, aurora)
    held = cobalt.store(aurora).held()
    assert held is not None
    assert held.version == 3


def test_it_rejects_a_manifest_of_another_list(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.name = "aurora.example/video"
    manifest = aurora.manifest(1).to_bytes()
    aurora.name = "aurora.example/images"
    aurora.sign(manifest)
    with pytest.raises(MalformedManifest, match=r"aurora\.example/video"):
        sync(cobalt, aurora)


def test_it_names_what_a_newer_format_needs_and_keeps_the_last_state(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    sync(cobalt, aurora)
    document = json.loads(aurora.manifest(2).to_bytes())
    aurora.sign(json.dumps({**document, "requires": ["sealed-segments"]}).encode())
    with pytest.raises(UnknownRequirement, match="sealed-segments"):
        sync(cobalt, aurora)
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_it_rejects_counts_that_are_not_those_signed(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    document = json.loads(aurora.manifest(2).to_bytes())
    document["segments"][0]["upserts"] = 6
    aurora.sign(json.dumps(document).encode())
    with pytest.raises(VerificationFailed, match="5 rows"):
        sync(cobalt, aurora)
    assert cobalt.store(aurora).held() is None
    assert not list((cobalt.store(aurora).folder / "objects").iterdir())


def test_it_rejects_a_poll_whose_names_would_leave_the_home(cobalt: Cobalt, north: North) -> None:
    row = {"name": "aurora.example/images", "id": "../../../etc", "publisher": "aurora.example"}
    north.frozen_heads = json.dumps({"lists": [{**row, "role_version": 1, "version": 1}]}).encode()
    with pytest.raises(NetworkError, match="makes no sense"):
        heads(cobalt.session, cobalt.home)


def test_it_says_when_a_list_is_not_ours(cobalt: Cobalt) -> None:
    done = cobalt.run("sync", "borealis.example/video", "--json")
    assert done.status == 3
    assert done.json["error"]["type"] == NotEntitled.slug


def test_one_list_that_fails_does_not_keep_the_others(cobalt: Cobalt, north: North, tmp_path: Path) -> None:
    borealis = Aurora(tmp_path / "borealis", domain="borealis.example", slug="video")
    borealis.release(items(3))
    north.publishers.append(borealis)
    north.faults.append(Fault("aurora.example/metadata/timestamp.json", status=500, times=20))
    done = cobalt.run("sync", "--json")
    rows = {row["name"]: row for row in done.json["lists"]}
    assert done.status == 5
    assert rows["aurora.example/images"]["error"]["type"] == "hub-failure"
    assert rows["borealis.example/video"]["entries"] == 3


def test_the_full_disk_is_said_before_anything_is_fetched(
    cobalt: Cobalt, aurora: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    aurora.release(items(5))
    size = len(aurora.objects[aurora.object_path("delta-1-2")])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _usage(0, 0, size + 1))
    with pytest.raises(HashshareError, match=f"needs {2 * size:,} bytes, {size:,} of them .* has {size + 1:,} free"):
        sync(cobalt, aurora)
    assert cobalt.store(aurora).held() is None


def test_a_small_delta_is_not_kept_out_for_want_of_room(
    cobalt: Cobalt, aurora: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold withdrawals."""
    first = items(5)
    aurora.release(first)
    sync(cobalt, aurora)
    aurora.release((), first[:1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _usage(0, 0, 100_000))
    assert sync(cobalt, aurora).entries == 4


def test_it_counts_the_releases_past_what_was_held_across_a_renewed_base(cobalt: Cobalt, aurora: Aurora) -> None:
    first = items(40)
    aurora.release(first)
    aurora.renew_base()
    sync(cobalt, aurora)
    for number in range(3):
        aurora.release(items(4), first[number : number + 1])
    aurora.renew_base()
    aurora.release(items(1), first[10:11])
    done = sync(cobalt, aurora)
    assert (done.before, done.version, done.upserts, done.withdrawals) == (2, 6, 13, 4)


def test_it_does_not_count_what_came_by_a_base_alone(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(4))
    assert (sync(cobalt, aurora).upserts, sync(cobalt, aurora).upserts) == (None, 0)
    aurora.release(items(4))
    aurora.renew_base()
    aurora.release(items(4))
    aurora.drop_segments()
    aurora.release(items(4))
    done = cobalt.run("sync", "--json").json["lists"][0]
    assert (done["full"], done["upserts"], done["withdrawals"]) == (True, None, None)


def test_what_is_held_passes_the_format_again(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    sync(cobalt, aurora)
    held = cobalt.store(aurora).held()
    assert held is not None
    for part in held.deltas:
        assert verify_segment(cobalt.store(aurora).object_path(part.sha256), fmt=FMT, kind="delta").rows == part.rows
