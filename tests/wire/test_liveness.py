"""Where keys stand: the same whether they are fetched by their places or joined; keys that share a prefix differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from hashshare.wire import liveness
from hashshare.wire.compaction import renew_base
from hashshare.wire.engine import open_engine
from hashshare.wire.liveness import count_growth, find_standing
from hashshare.wire.state import HeldState

from .lists import IMAGES, TODAY, Row, delta, fill, reinstate, upsert, withdraw


@pytest.fixture(params=["by place", "joined"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "joined":
        monkeypatch.setattr(liveness, "FEW", 0)


def based(folder: Path, rows: list[Row], *, today: date = TODAY) -> tuple[Path, tuple[Path, ...]]:
    """What led to a base, and its shards of about four rows."""
    path, _ = delta(folder, f"before-{len(rows)}", rows)
    with open_engine(read=[path], write=folder) as engine:
        made = renew_base(engine, HeldState(IMAGES, (), (path,)), folder, version=2, today=today, shard_entries=4)
    return path, tuple(shard.path for shard in made)


def standing(state: HeldState, keys: list[Row]) -> list[tuple[bool, bool]]:
    """Held and gone, for each of the keys."""
    with open_engine(read=state.paths, scattered=True) as engine:
        fill(engine, keys, table="asked")
        find_standing(engine, state, table="asked")
        found = engine.execute("SELECT p, s, held, gone FROM standing").fetchall()
    by_key = {p.to_bytes(8, "big") + s: (held, gone) for p, s, held, gone in found}
    assert len(by_key) == len(keys)
    return [by_key[row.key] for row in keys]


HELD, GONE, NEW = (True, False), (False, True), (False, False)


def test_the_newest_file_that_names_a_key_tells(tmp_path: Path) -> None:
    earlier, base = based(tmp_path, [upsert(number) for number in range(12)])
    first, _ = delta(tmp_path, "first", [withdraw(1), withdraw(2), upsert(20), upsert(3, category="C")])
    second, _ = delta(tmp_path, "second", [reinstate(2), withdraw(20), withdraw(4)])
    state = HeldState(IMAGES, base, (first, second), (earlier,))
    keys = [upsert(0), upsert(1), upsert(2), upsert(3), upsert(4), upsert(20), upsert(99)]
    assert standing(state, keys) == [HELD, GONE, HELD, HELD, GONE, GONE, NEW]


def test_what_was_withdrawn_before_the_base_is_still_gone(tmp_path: Path) -> None:
    _, base = based(tmp_path, [upsert(0)])
    one, _ = delta(tmp_path, "one", [upsert(0), upsert(1), upsert(2), upsert(3)])
    two, _ = delta(tmp_path, "two", [withdraw(1), withdraw(2), withdraw(3)])
    three, _ = delta(tmp_path, "three", [reinstate(2), reinstate(3)])
    four, _ = delta(tmp_path, "four", [withdraw(3)])
    state = HeldState(IMAGES, base, (), (one, two, three, four))
    # 2 came back and has lapsed when the base was built: it is neither held nor withdrawn.
    assert standing(state, [upsert(0), upsert(1), upsert(2), upsert(3)]) == [HELD, GONE, NEW, GONE]


def sharing_prefix(row: Row) -> Row:
    """Another key with the same first eight bytes."""
    return replace(row, key=row.key[:8] + bytes(24))


def test_a_key_that_shares_its_prefix_with_one_held_is_another(tmp_path: Path) -> None:
    earlier, base = based(tmp_path, [upsert(0), upsert(1)])
    late, _ = delta(tmp_path, "late", [withdraw(1)])
    state = HeldState(IMAGES, base, (late,), (earlier, late))
    assert standing(state, [sharing_prefix(upsert(0)), sharing_prefix(upsert(1)), upsert(1)]) == [NEW, NEW, GONE]


def test_nothing_is_held_of_a_list_without_files(tmp_path: Path) -> None:
    assert standing(HeldState(IMAGES), [upsert(0)]) == [NEW]


def test_growth_counts_what_deltas_add_and_take(tmp_path: Path) -> None:
    lapsed = TODAY - timedelta(days=1)
    _, base = based(tmp_path, [*(upsert(number) for number in range(8)), upsert("lapsed", expires=lapsed)])
    one, _ = delta(tmp_path, "one", [upsert(20), upsert(21), upsert(0, category="C"), withdraw(1), withdraw("lapsed")])
    two, _ = delta(tmp_path, "two", [withdraw(20), reinstate(1), withdraw(2), upsert("lapsed")])
    with open_engine(read=[*base, one, two]) as engine:
        assert count_growth(engine, base, (one,)) == 2 - 1
        assert count_growth(engine, base, (one, two)) == len(["21", "lapsed"]) - len(["2"])
        assert count_growth(engine, base, ()) == 0
