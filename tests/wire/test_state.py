"""The fold by query equals the naive fold, for any history; and the questions asked of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hashshare.wire.checks import check_delta, check_merge
from hashshare.wire.compaction import merge_deltas, renew_base
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.seeking import FEW, lookup
from hashshare.wire.segments import verify_segment
from hashshare.wire.state import (
    HeldState,
    collect_withdrawn,
    count_entries,
    entry_columns,
    fold_later,
    held_rows,
)

from .bases import check_base
from .lists import IMAGES, TODAY, Row, delta, digest, upsert, withdraw

Content = dict[bytes, tuple[object, ...]]


def naive(history: Sequence[Sequence[Row]]) -> tuple[Content, set[bytes]]:
    """Entries held and keys withdrawn after all of `history`."""
    held: Content = {}
    gone: set[bytes] = set()
    for release in history:
        for row in release:
            if row.op == 2:
                held.pop(row.key)
                gone.add(row.key)
            else:
                held[row.key] = row.content
                gone.discard(row.key)
    return held, gone


def held_by(state: HeldState) -> Content:
    with open_engine(read=state.paths) as engine:
        fold_later(engine, state)
        rows = engine.execute(held_rows(state, entry_columns(state.fmt))).fetchall()
    return {p.to_bytes(8, "big") + s: (md5, category, expires) for p, s, md5, category, _, expires in rows}


def withdrawn_by(state: HeldState) -> set[bytes]:
    with open_engine(read=state.paths) as engine:
        collect_withdrawn(engine, state)
        return {p.to_bytes(8, "big") + s for p, s in engine.execute("SELECT p, s FROM withdrawn").fetchall()}


@st.composite
def histories(draw: st.DrawFn) -> list[list[Row]]:
    """Releases that keep the rules, over few enough keys that they meet again."""
    held: set[int] = set()
    gone: set[int] = set()
    history = []
    for _ in range(draw(st.integers(1, 6))):
        rows = []
        for key in sorted(draw(st.sets(st.integers(0, 9), max_size=6))):
            if key in held and draw(st.booleans()):
                rows.append(withdraw(key))
                held.discard(key)
                gone.add(key)
                continue
            lapses = draw(st.sampled_from([None, TODAY, TODAY + timedelta(days=1)]))
            category = draw(st.sampled_from("ABC"))
            rows.append(upsert(key, op=3 if key in gone else 1, category=category, expires=lapses))
            held.add(key)
            gone.discard(key)
        history.append(rows)
    return history


@settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(history=histories(), data=st.data())
def test_it_folds_as_the_naive_fold_does(history: list[list[Row]], data: st.DataObject) -> None:
    """Also over merged segments and a base in the middle, each of which the hub's checks accept."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deltas = [delta(folder, f"delta-{number}", rows)[0] for number, rows in enumerate(history)]
        with open_engine(read=deltas, write=folder) as engine:
            for number, path in enumerate(deltas):
                check_delta(engine, HeldState(IMAGES, (), tuple(deltas[:number])), path)
        held, gone = naive(history)
        state = HeldState(IMAGES, (), tuple(deltas))
        assert held_by(state) == held
        assert withdrawn_by(state) == gone

        start = data.draw(st.integers(0, len(deltas) - 1))
        end = data.draw(st.integers(start + 1, len(deltas)))
        merged = folder / "merged.parquet"
        with open_engine(read=deltas, write=folder) as engine:
            facts = merge_deltas(engine, deltas[start:end], merged, fmt=IMAGES)
            check_merge(engine, deltas[start:end], merged, fmt=IMAGES)
        assert verify_segment(merged, fmt=IMAGES, kind="delta") == facts
        leveled = HeldState(IMAGES, (), (*deltas[:start], merged, *deltas[end:]))
        assert held_by(leveled) == held
        assert withdrawn_by(leveled) == gone

        before = HeldState(IMAGES, (), tuple(deltas[:start]))
        with open_engine(read=before.paths, write=folder) as engine:
            written = renew_base(engine, before, folder, version=9, today=date.min, shard_entries=3)
            shards = [it.path for it in written]
            check_base(engine, before, shards, today=TODAY)
        ranges = tuple((int(it.facts.low, 16), int(it.facts.high, 16)) for it in written)
        based = HeldState(IMAGES, tuple(shards), tuple(deltas[start:]), tuple(deltas[:start]), ranges)
        assert held_by(based) == held
        assert withdrawn_by(based) == gone
        with open_engine(read=based.paths) as engine:
            assert count_entries(engine, based) == len(held)
            lapsed = [content for content in held.values() if content[2] == TODAY]
            assert count_entries(engine, based, today=TODAY) == len(held) - len(lapsed)
            check_lookups(engine, based, held)


def check_lookups(engine: Engine, state: HeldState, held: Content) -> None:
    """Every key and md5 of the history one by one, together, and among very many others."""
    live = {key for key, content in held.items() if content[2] != TODAY}
    others = [digest(("other", number)) for number in range(FEW)]
    keys = [digest(number) for number in range(10)]
    for asked in ([key] for key in keys):
        assert set(lookup(engine, state, asked, algorithm="sha256", today=TODAY)) == live & set(asked)
    for asked in (keys, keys + others):
        found = lookup(engine, state, asked, algorithm="sha256", today=TODAY)
        assert {key: [entry.metadata.get("category") for entry in it] for key, it in found.items()} == {
            key: [held[key][1]] for key in live
        }
        md5s = [digest(("md5", number), 16) for number in range(10)] + [it[:16] for it in asked[10:]]
        by_md5 = lookup(engine, state, md5s, algorithm="md5", today=TODAY)
        assert {entry.key for entries in by_md5.values() for entry in entries} == live


def test_it_holds_nothing_at_first() -> None:
    state = HeldState(IMAGES)
    assert held_by(state) == {}
    with open_engine() as engine:
        assert count_entries(engine, state) == 0
        assert lookup(engine, state, [digest(1)], algorithm="sha256", today=TODAY) == {}


def test_it_looks_up_by_any_of_its_algorithms(tmp_path: Path) -> None:
    first, _ = delta(tmp_path, "a", [upsert(number) for number in range(20)])
    second, _ = delta(tmp_path, "b", [withdraw(3), upsert(4, category="C"), upsert(5, expires=TODAY)])
    state = HeldState(IMAGES, (), (first, second))
    with open_engine(read=state.paths) as engine:
        keys = [digest(number) for number in (3, 4, 5, 6, 99)]
        found = lookup(engine, state, keys, algorithm="sha256", today=TODAY)
        assert set(found) == {digest(4), digest(6)}
        (entry,) = found[digest(4)]
        assert (entry.key, entry.hashes, entry.metadata) == (
            digest(4),
            {"md5": digest(("md5", 4), 16)},
            {"category": "C"},
        )
        by_md5 = lookup(engine, state, [digest(("md5", 6), 16)], algorithm="md5", today=TODAY)
        assert [it.key for it in by_md5[digest(("md5", 6), 16)]] == [digest(6)]
        assert lookup(engine, state, keys, algorithm="pdq", today=TODAY) == {}
        lapsed = lookup(engine, state, [digest(5)], algorithm="sha256", today=TODAY - timedelta(days=1))
        assert set(lapsed) == {digest(5)}
