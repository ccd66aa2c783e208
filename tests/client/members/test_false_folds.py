"""A merge or a renewed base that drops, adds or changes a row, from a hub that does not look.

Refused at the member that holds the parts, with the keys that differ, and the last good state stays in use.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hashshare.client import making
from hashshare.client.verify import verify_list
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import ContradictedFold, MalformedManifest, MalformedSegment
from hashshare.wire.manifest import Base, Segment
from hashshare.wire.objects import base_index_path, delta_path, shard_path
from hashshare.wire.segments import write_base
from tests.client.members.aurora import FMT, UPSERT, Aurora, Item, Operations, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_healing import zero_footer, zero_head
from tests.client.members.test_sync import held_keys, sync


@pytest.fixture
def first() -> list[Item]:
    """In the order of their keys."""
    return sorted(items(60), key=lambda item: item.sha256)


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora, first: list[Item]) -> set[bytes]:
    """A base of three shards at version 2 and three deltas are held, at version 5."""
    aurora.release(first)
    aurora.base = base_of(aurora, 2, thirds(first))
    for number in range(3):
        changed = Item(first[30 + number].content, "C")
        aurora.release([*items(2), changed], [first[number]])
        sync(cobalt, aurora)
    return set(aurora.live)


def thirds(entries: Sequence[Item]) -> list[list[Item]]:
    size = -(-len(entries) // 3)
    return [list(entries[place : place + size]) for place in range(0, len(entries), size)]


def in_order(aurora: Aurora) -> list[Item]:
    return sorted(aurora.live.values(), key=lambda item: item.sha256)


def base_of(aurora: Aurora, version: int, groups: Sequence[Sequence[Item]]) -> Base:
    """A base whose shards hold just these items."""
    shards = []
    for number, group in enumerate(groups):
        with open_engine(write=aurora.folder) as engine:
            aurora._table(engine, "base", [aurora._row(item.sha256, item) for item in group])
            (made,) = write_base(engine, "rows", aurora.folder, fmt=FMT, version=version)
        ref = aurora.put(shard_path(aurora.list_id, version=version, number=number), made.path.read_bytes())
        shards.append(Shard(made.facts.low, made.facts.high, made.facts.rows, ref))
    return named(aurora, version, shards)


def named(aurora: Aurora, version: int, shards: Sequence[Shard]) -> Base:
    index = BaseIndex(aurora.list_id, version, sum(shard.entries for shard in shards), tuple(shards))
    ref = aurora.put(base_index_path(aurora.list_id, version=version), index.to_bytes())
    return Base(version, index.entries, index.total_bytes, ref, aurora.built_at)


def refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes], key: bytes | None, **counts: int) -> dict[str, Any]:
    """The error with which the program ends; `key` is the first that differs."""
    before = cobalt.store(aurora).held()
    done = cobalt.run("sync", "--json")
    error: dict[str, Any] = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, ContradictedFold.slug), error
    assert {name: error[name] for name in ("missing", "foreign", "different")} == counts
    if key is not None:
        assert (error["low"], error["high"]) == (key[:8].hex(), key[:8].hex())
        assert f"Among the keys {key[:8].hex()} to " in error["detail"]
    assert "Version 5 stays in use" in error["detail"]
    assert "incident" in error["next_step"]
    assert cobalt.store(aurora).held() == before
    assert held_keys(cobalt, aurora) == held
    verified = cobalt.run("verify", "--json")
    assert (verified.status, verified.json["ok"]) == (7, True), "what is held is whole, and that it was refused alarms"
    return error


def test_an_honest_merge_and_base_pass(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    aurora.merge(2, 5)
    aurora.base = base_of(aurora, 5, thirds(in_order(aurora)))
    aurora.release(items(1))
    assert sync(cobalt, aurora).made == 3
    assert held_keys(cobalt, aurora) == set(aurora.live)


# --- merges -------------------------------------------------------------------------------------------------------


def folded(aurora: Aurora, start: int, end: int) -> Operations:
    fold = Operations()
    for version in range(start + 1, end + 1):
        fold.rows.update(aurora.history[version].rows)
    return fold


def drop_upsert(aurora: Aurora, fold: Operations) -> bytes:
    key = next(key for key, (op, _, _) in fold.rows.items() if op == UPSERT)
    del fold.rows[key], aurora.live[key]
    return key


def drop_tombstone(aurora: Aurora, fold: Operations) -> bytes:
    """The withdrawn entry would be live again."""
    key = next(key for key, (op, _, _) in fold.rows.items() if op != UPSERT)
    del fold.rows[key]
    aurora.live[key] = Item(b"")
    return key


def add_row(aurora: Aurora, fold: Operations) -> bytes:
    (item,) = items(1)
    fold.rows[item.sha256] = (UPSERT, None, item)
    aurora.live[item.sha256] = item
    return item.sha256


def change_row(aurora: Aurora, fold: Operations) -> bytes:
    key, item = next((key, item) for key, (_, _, item) in fold.rows.items() if item)
    fold.rows[key] = (UPSERT, None, replace(item, category="B"))
    return key


MERGES: dict[str, tuple[Callable[[Aurora, Operations], bytes], dict[str, int]]] = {
    "drops an upsert": (drop_upsert, {"missing": 1, "foreign": 0, "different": 0}),
    "drops a withdrawal": (drop_tombstone, {"missing": 1, "foreign": 0, "different": 0}),
    "adds a row": (add_row, {"missing": 0, "foreign": 1, "different": 0}),
    "changes a row": (change_row, {"missing": 0, "foreign": 0, "different": 1}),
}


@pytest.mark.parametrize("fault", MERGES)
def test_a_false_merge_is_refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes], fault: str) -> None:
    spoil, counts = MERGES[fault]
    fold = folded(aurora, 2, 5)
    key = spoil(aurora, fold)
    aurora.segments = (aurora.segments[0], aurora._segment(2, 5, fold))
    aurora.release(items(1))
    error = refused(cobalt, aurora, held, key, **counts)
    assert "from version 2 to 5" in error["detail"]


def test_a_merge_is_compared_even_if_its_bytes_lie_here_under_another_name(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes]
) -> None:
    """The first of the three parts passed off as their merge: the changes of the others would be lost."""
    part = aurora.segments[1]
    body = aurora.objects[part.object.stored_path]
    ref = aurora.put(delta_path(aurora.list_id, from_version=2, to_version=5), body)
    lost = {key: row for version in (4, 5) for key, row in aurora.history[version].rows.items()}
    for key, (op, _, _) in lost.items():
        if op == UPSERT:
            aurora.live.pop(key)
        else:
            aurora.live[key] = Item(b"")
    aurora.segments = (aurora.segments[0], Segment(2, 5, part.upserts, part.withdrawals, ref))
    aurora.release(items(1))
    refused(cobalt, aurora, held, None, missing=8, foreign=0, different=0)


# --- bases --------------------------------------------------------------------------------------------------------


def drop_inner(entries: list[Item], _gone: Item) -> bytes:
    return entries.pop(25).sha256


def drop_last_of_a_shard(entries: list[Item], _gone: Item) -> bytes:
    return entries.pop(len(entries) // 3 - 1).sha256


def revive(entries: list[Item], gone: Item) -> bytes:
    entries.append(gone)
    return gone.sha256


def change(entries: list[Item], _gone: Item) -> bytes:
    entries[25] = replace(entries[25], category="B")
    return entries[25].sha256


BASES: dict[str, tuple[Callable[[list[Item], Item], bytes], dict[str, int]]] = {
    "drops a row": (drop_inner, {"missing": 1, "foreign": 0, "different": 0}),
    "drops the last row of a shard": (drop_last_of_a_shard, {"missing": 1, "foreign": 0, "different": 0}),
    "revives a withdrawn row": (revive, {"missing": 0, "foreign": 1, "different": 0}),
    "changes a row": (change, {"missing": 0, "foreign": 0, "different": 1}),
}


@pytest.mark.parametrize("fault", BASES)
def test_a_false_base_is_refused(
    cobalt: Cobalt, aurora: Aurora, first: list[Item], held: set[bytes], fault: str
) -> None:
    spoil, counts = BASES[fault]
    # Cut where an honest base would be, so that all shards but one are made to the byte.
    groups = thirds(in_order(aurora))
    lows = [group[0].sha256 for group in groups]
    entries = in_order(aurora)
    key = spoil(entries, first[0])
    cuts = [max(number for number, low in enumerate(lows) if low <= max(item.sha256, lows[0])) for item in entries]
    false = [[item for item, cut in zip(entries, cuts, strict=True) if cut == number] for number in range(len(lows))]
    aurora.live = {item.sha256: item for item in entries}
    aurora.base = base_of(aurora, 5, false)
    aurora.release(items(1))
    error = refused(cobalt, aurora, held, key, **counts)
    assert "the base at version 5" in error["detail"]


def test_a_held_shard_named_again_must_still_be_what_it_should(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes], first: list[Item]
) -> None:
    """Its three withdrawn entries would be live again, without a byte to fetch."""
    old = cobalt.store(aurora).usable()
    body = cobalt.store(aurora).object_path(old.base[0].sha256).read_bytes()
    rest = [item for item in in_order(aurora) if item.sha256 > first[19].sha256]
    aurora.base = base_of(aurora, 5, [first[:20], rest])
    assert body in aurora.objects.values()
    new = [item for item in in_order(aurora) if item.sha256 <= first[19].sha256 and item not in first]
    aurora.live |= {item.sha256: item for item in first[:3]}
    for item in new:
        del aurora.live[item.sha256]
    aurora.release(items(1))
    refused(cobalt, aurora, held, None, missing=len(new), foreign=3, different=0)


def test_an_empty_base_is_refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    aurora.live = {}
    aurora.base = base_of(aurora, 5, [])
    aurora.release(items(1))
    refused(cobalt, aurora, held, None, missing=len(held), foreign=0, different=0)


def test_a_base_index_that_lies_about_its_shards_is_refused(cobalt: Cobalt, aurora: Aurora, first: list[Item]) -> None:
    """A lookup opens only the shards that the index says can have the key."""
    aurora.release(first)
    honest = base_of(aurora, 2, [first])
    (path,) = [path for path in aurora.objects if ".base-2-0000" in path]
    shard = BaseIndex.parse(aurora.objects[honest.index.stored_path]).shards[0]
    assert shard.object.stored_path == path
    aurora.base = named(aurora, 2, [replace(shard, high=first[30].sha256[:8].hex())])
    aurora.release(items(1))
    with pytest.raises(MalformedSegment, match="were signed"):
        sync(cobalt, aurora)
    assert cobalt.store(aurora).held() is None


def test_a_base_from_the_future_is_refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    """Whatever has not lapsed yet could be left out of it."""
    aurora.renew_base(built_at=datetime.now(UTC).replace(microsecond=0) + timedelta(days=3))
    aurora.release(items(1))
    with pytest.raises(MalformedManifest, match="future"):
        sync(cobalt, aurora)
    assert held_keys(cobalt, aurora) == held


def test_a_false_count_is_refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    aurora.release(items(1))
    aurora.sign(replace(aurora.manifest(6), entries=len(aurora.live) + 1).to_bytes())
    done = cobalt.run("sync", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, MalformedManifest.slug)
    assert (error["entries"], error["signed"]) == (len(aurora.live), len(aurora.live) + 1)
    assert f"hashshare forget {aurora.name}" in error["next_step"]
    assert held_keys(cobalt, aurora) == held


# --- not the publisher's fault --------------------------------------------------------------------------------------


def test_an_honest_merge_and_base_of_another_engine_pass(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes come out here, so all is fetched and compared."""
    aurora.merge(2, 5)
    aurora.base = base_of(aurora, 5, thirds(in_order(aurora)))
    aurora.release(items(1))
    monkeypatch.setattr(making, "file_sha256", lambda _: "")
    done = sync(cobalt, aurora)
    assert (done.made, done.segments) == (0, 4)
    assert held_keys(cobalt, aurora) == set(aurora.live)


def spoil_quietly(path: Path) -> None:
    """Whole and readable, and a digest that is not the signed one: one row says something else."""
    with open_engine(read=[path], write=path.parent) as engine:
        columns = f"* REPLACE (CASE WHEN op = {UPSERT} THEN 'B' END AS category)"
        other = path.with_suffix(".other")
        engine.execute(f"COPY (SELECT {columns} FROM read_parquet('{path}')) TO '{other}' (FORMAT parquet)")
    body = other.read_bytes()
    other.unlink()
    path.write_bytes(body)


@pytest.mark.parametrize("damage", [zero_head, zero_footer])
@pytest.mark.parametrize("renewed", [False, True])
def test_a_damaged_part_is_not_held_against_the_publisher(
    cobalt: Cobalt, aurora: Aurora, north: North, held: set[bytes], damage: Callable[[Path], None], renewed: bool
) -> None:
    state = cobalt.store(aurora).held()
    assert state is not None
    damage(cobalt.store(aurora).object_path(state.deltas[1].sha256))
    if renewed:
        aurora.base = base_of(aurora, 5, thirds(in_order(aurora)))
    else:
        aurora.merge(2, 5)
    aurora.release(items(1))
    done = cobalt.run("sync")
    assert done.status == 0, done.err
    assert held_keys(cobalt, aurora) == set(aurora.live)
    assert verify_list(cobalt.store(aurora)).version == 6


def test_a_part_that_says_something_else_is_not_held_against_the_publisher(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = cobalt.store(aurora)
    state = store.held()
    assert state is not None
    spoil_quietly(store.object_path(state.deltas[1].sha256))
    monkeypatch.setattr(type(store), "has", lambda self, part: self.object_path(part.sha256).is_file())
    aurora.merge(2, 5)
    aurora.release(items(1))
    assert sync(cobalt, aurora).version == 6
    assert verify_list(store).version == 6


# --- memory -------------------------------------------------------------------------------------------------------

ROWS = 500_000


def large_base(aurora: Aurora, version: int, *, change: str = "") -> Base:
    key = "sha256(i::VARCHAR)"
    with open_engine(write=aurora.folder, memory="1GiB") as engine:
        engine.execute(
            f"CREATE TABLE rows AS SELECT ('0x' || {key}[:16])::UBIGINT AS p, unhex({key}[17:]) AS s,"
            " unhex(md5(i::VARCHAR)) AS md5, unhex(sha1(i::VARCHAR)) AS sha1, 'A' AS category, NULL::DATE AS expires"
            f" FROM range({ROWS}) AS r(i)"
        )
        engine.execute(change or "SELECT 1")
        made = write_base(engine, "rows", aurora.folder, fmt=FMT, version=version)
    shards = [
        Shard(
            it.facts.low,
            it.facts.high,
            it.facts.rows,
            aurora.put(shard_path(aurora.list_id, version=version, number=number), it.path.read_bytes()),
        )
        for number, it in enumerate(made)
    ]
    return named(aurora, version, shards)


@pytest.mark.slow
def test_comparing_a_large_base_stays_in_the_memory_of_a_sync(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(1))
    aurora.live = dict.fromkeys((number.to_bytes(32) for number in range(ROWS)), Item(b""))
    aurora.base = large_base(aurora, 2)
    aurora.drop_segments()
    same = Item(b"0")
    aurora.release([same])
    aurora.live.pop(same.sha256)
    aurora.refresh()
    assert sync(cobalt, aurora).entries == ROWS
    false = "UPDATE rows SET category = 'B' WHERE p = (SELECT max(p) FROM rows)"
    aurora.base = large_base(aurora, 3, change=false)
    aurora.release(items(1))
    status, peak = measured(cobalt)
    assert status == 4
    assert peak < 300
    assert cobalt.store(aurora).usable().version == 3


def measured(cobalt: Cobalt) -> tuple[int, int]:
    """A sync's exit status and the peak memory of its process in MiB, as the process itself sees it."""
    code = (
        "import re, sys; from hashshare.client.cli.app import main\n"
        "try: main(['sync'])\n"
        "except SystemExit as end: status = end.code\n"
        "print(status, re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=cobalt.environment(), capture_output=True, text=True)
    status, peak = done.stdout.splitlines()[-1].split()
    return int(status), int(peak) // 1024
