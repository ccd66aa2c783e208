"""What counts as an entry lost: withdrawn, or made to match less or for a shorter time; not what lapses by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hashshare.wire import losses
from hashshare.wire.checks import check_delta
from hashshare.wire.compaction import renew_base
from hashshare.wire.engine import open_engine, paths
from hashshare.wire.losses import count_lost, count_weakened
from hashshare.wire.state import HeldState
from tests.wire.lists import IMAGES, TODAY, Row, delta, digest, reinstate, upsert, withdraw

LATER = TODAY + timedelta(days=30)
SOONER = TODAY + timedelta(days=1)
FIRST = [
    *(upsert(number) for number in range(10)),
    upsert("ends", expires=LATER),
    upsert("lapsed", expires=TODAY),
]
SECOND = [withdraw(0), upsert(20), upsert(1, category="B")]


@pytest.fixture(params=["deltas", "base"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> HeldState:
    deltas = (delta(tmp_path, "first", FIRST)[0], delta(tmp_path, "second", SECOND)[0])
    if request.param == "deltas":
        return HeldState(IMAGES, (), deltas)
    before = HeldState(IMAGES, (), deltas)
    with open_engine(read=deltas, write=tmp_path) as engine:
        shards = renew_base(engine, before, tmp_path, version=3, today=TODAY - timedelta(days=1), shard_entries=4)
    return HeldState(IMAGES, tuple(shard.path for shard in shards), (), deltas)


def without_md5(seed: object) -> Row:
    return replace(upsert(seed), md5=None)


CHANGES: dict[str, tuple[list[Row], int]] = {
    "nothing": ([upsert(40)], 0),
    "another category": ([upsert(2, category="C"), upsert(1, category="A")], 0),
    "an end": ([upsert(2, expires=LATER), upsert(3, expires=TODAY)], 2),
    "an earlier end": ([upsert("ends", expires=SOONER)], 1),
    "a later end, or none": ([upsert("ends", expires=LATER + timedelta(days=1)), upsert("lapsed")], 0),
    "a hash taken away": ([without_md5(2)], 1),
    "a hash changed": ([replace(upsert(2), md5=digest("other", 16))], 1),
    "new keys that end": ([upsert(50, expires=TODAY), without_md5(51)], 0),
    "a key brought back with less": ([replace(reinstate(0), md5=None)], 0),
}


def both(state: HeldState, folder: Path, rows: list[Row]) -> tuple[int, int]:
    """As the hub counts the upserts of a release, and as a member counts between two states."""
    path, _ = delta(folder, "next", rows)
    after = replace(state, deltas=(*state.deltas, path))
    with open_engine(read=after.paths, write=folder) as engine:
        check_delta(engine, state, path, guard={})
        weakened = count_weakened(engine, state, rows=f"read_parquet({paths([path])})")
        return weakened, count_lost(engine, state, after, entries=12, today=TODAY - timedelta(days=1))


@pytest.mark.parametrize("what", CHANGES)
def test_an_entry_is_lost_when_it_says_less_than_it_did(state: HeldState, tmp_path: Path, what: str) -> None:
    rows, lost = CHANGES[what]
    assert both(state, tmp_path, rows) == (lost, lost)


def test_a_member_counts_withdrawals_too(state: HeldState, tmp_path: Path) -> None:
    assert both(state, tmp_path, [withdraw(2), withdraw(20), upsert(3, expires=TODAY)]) == (1, 3)


def test_what_lapsed_on_its_signed_day_is_no_loss(state: HeldState, tmp_path: Path) -> None:
    path, _ = delta(tmp_path, "next", [withdraw("lapsed"), upsert(60)])
    after = replace(state, deltas=(*state.deltas, path))
    with open_engine(read=after.paths, write=tmp_path) as engine:
        assert count_lost(engine, state, after, entries=12, today=TODAY) == 0
        shards = renew_base(engine, after, tmp_path, version=4, today=LATER, shard_entries=4)
    renewed = HeldState(IMAGES, tuple(shard.path for shard in shards))
    with open_engine(read=[*after.paths, *renewed.paths]) as engine:
        assert count_lost(engine, state, renewed, entries=12, today=LATER) == 0
        assert count_lost(engine, state, renewed, entries=12, today=TODAY) == 1


def test_slices_count_every_key_once(state: HeldState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "ROWS", 2)
    assert both(state, tmp_path, [withdraw(2), withdraw(20), withdraw(5), upsert(3, expires=TODAY)]) == (1, 4)


def test_many_updates_are_counted_as_few_are(state: HeldState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashshare.wire.liveness.FEW", 0)
    assert both(state, tmp_path, [without_md5(2), upsert(3, expires=TODAY), upsert(4, category="C")]) == (2, 2)
