"""What a release may do to the state before it, and that merges and bases are proved."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hashshare.wire.checks import DeltaEffect, check_delta, check_merge
from hashshare.wire.compaction import renew_base
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import (
    GuardedHash,
    HashshareError,
    NotLive,
    RejectedContent,
    WithdrawnKey,
    WrongFold,
)
from hashshare.wire.segments import write_base
from hashshare.wire.state import HeldState
from tests.wire.bases import check_base

from .lists import IMAGES, TODAY, Row, delta, digest, fill, reinstate, upsert, withdraw

FIRST = [upsert(number) for number in range(10)] + [upsert("lapsed", expires=TODAY)]
SECOND = [withdraw(0), upsert(20)]


@pytest.fixture(params=["deltas", "base"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> HeldState:
    """Eleven entries held and one withdrawn: as deltas alone, and as a base with what led to it."""
    deltas = (delta(tmp_path, "first", FIRST)[0], delta(tmp_path, "second", SECOND)[0])
    if request.param == "deltas":
        return HeldState(IMAGES, (), deltas)
    before = HeldState(IMAGES, (), deltas)
    with open_engine(read=deltas, write=tmp_path) as engine:
        shards = renew_base(engine, before, tmp_path, version=3, today=TODAY - timedelta(days=1), shard_entries=4)
    return HeldState(IMAGES, tuple(shard.path for shard in shards), (), deltas)


def check(
    state: HeldState, folder: Path, rows: list[Row], guard: dict[str, frozenset[bytes]] | None = None
) -> DeltaEffect:
    path, _ = delta(folder, "next", rows)
    with open_engine(read=[*state.paths, path], write=folder) as engine:
        return check_delta(engine, state, path, guard=guard)


def test_it_accepts_and_counts_a_sound_release(state: HeldState, tmp_path: Path) -> None:
    rows = [upsert(30), upsert(31), upsert(1, category="C"), reinstate(0), withdraw(2), withdraw(20)]
    effect = check(state, tmp_path, rows)
    assert effect == DeltaEffect(added=2, updated=1, reinstated=1, withdrawn=2)
    assert effect.growth == 1


def test_it_lets_a_lapsed_entry_be_withdrawn(state: HeldState, tmp_path: Path) -> None:
    assert check(state, tmp_path, [withdraw("lapsed")]).withdrawn == 1


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (withdraw(99), NotLive),
        (withdraw(0), NotLive),
        (upsert(0), WithdrawnKey),
        (reinstate(99), RejectedContent),
        (reinstate(1), RejectedContent),
        (Row(b"\xff" * 32), GuardedHash),
        (Row(digest(1), md5=bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")), GuardedHash),
    ],
)
def test_it_rejects_what_breaks_a_rule(state: HeldState, tmp_path: Path, row: Row, error: type[HashshareError]) -> None:
    with pytest.raises(error) as refused:
        check(state, tmp_path, [upsert(50), row])
    assert type(refused.value) is error
    assert refused.value.facts["count"] == 1
    assert refused.value.facts["examples"] == [row.key.hex()]


def test_it_guards_what_the_operator_adds(state: HeldState, tmp_path: Path) -> None:
    with pytest.raises(GuardedHash):
        check(state, tmp_path, [upsert(50)], {"sha256": frozenset({digest(50)})})


def test_it_lets_a_guarded_hash_be_withdrawn(state: HeldState, tmp_path: Path) -> None:
    assert check(state, tmp_path, [withdraw(1)], {"sha256": frozenset({digest(1)})}).withdrawn == 1


# --- Merges -------------------------------------------------------------------------------------------------------

PARTS = [[upsert(1), upsert(2), upsert(3)], [withdraw(1), upsert(2, category="B")], [reinstate(1), withdraw(3)]]
MERGED = [reinstate(1), upsert(2, category="B"), withdraw(3)]


def prove(folder: Path, rows: list[Row]) -> None:
    parts = [delta(folder, f"part-{number}", part)[0] for number, part in enumerate(PARTS)]
    merged, _ = delta(folder, "merged", rows)
    with open_engine(read=[*parts, merged]) as engine:
        check_merge(engine, parts, merged, fmt=IMAGES)


def test_it_accepts_the_fold(tmp_path: Path) -> None:
    prove(tmp_path, MERGED)


@pytest.mark.parametrize(
    "rows",
    [
        MERGED[:2],
        [*MERGED, upsert(4)],
        [reinstate(1), upsert(2, category="A"), withdraw(3)],
        [upsert(1), upsert(2, category="B"), withdraw(3)],
        [reinstate(1), upsert(2, category="B"), withdraw(3, "other")],
        [reinstate(1), upsert(2, category="B", expires=TODAY), withdraw(3)],
        [],
    ],
)
def test_it_rejects_a_merge_that_differs(tmp_path: Path, rows: list[Row]) -> None:
    with pytest.raises(WrongFold):
        prove(tmp_path, rows)


# --- Bases --------------------------------------------------------------------------------------------------------


def prove_base(state: HeldState, folder: Path, rows: list[Row]) -> None:
    with open_engine(read=state.paths, write=folder) as engine:
        fill(engine, rows, table="given")
        engine.execute("ALTER TABLE given DROP op; ALTER TABLE given DROP reason")
        shards = write_base(engine, "given", folder, fmt=IMAGES, version=8, shard_entries=4)
        check_base(engine, state, [shard.path for shard in shards], today=TODAY)


LIVE = [*FIRST[1:10], upsert(20)]


def test_it_accepts_the_fold_with_or_without_lapsed_entries(state: HeldState, tmp_path: Path) -> None:
    prove_base(state, tmp_path, LIVE)
    prove_base(state, tmp_path, [*LIVE, FIRST[10]])


@pytest.mark.parametrize(
    "rows",
    [
        LIVE[1:],
        LIVE[:-1],
        [*LIVE, upsert(0)],
        [*LIVE, upsert(77)],
        [*LIVE[1:], upsert(1, category="B")],
        [*LIVE[1:], upsert(1, expires=TODAY)],
        [],
    ],
)
def test_it_rejects_a_base_that_differs(state: HeldState, tmp_path: Path, rows: list[Row]) -> None:
    with pytest.raises(WrongFold):
        prove_base(state, tmp_path, rows)
