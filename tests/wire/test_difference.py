"""What a publication would change, told before anything is written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hashshare.wire.difference import Difference, difference
from hashshare.wire.engine import open_engine
from hashshare.wire.export import ExportFormat, export_changes, export_entries
from hashshare.wire.intake import read_entries
from hashshare.wire.segments import write_delta
from hashshare.wire.state import HeldState

from .lists import IMAGES, TODAY, Row, delta, digest, upsert, withdraw

FIRST = [upsert(number) for number in range(10)] + [upsert("lapsed", expires=TODAY)]
LIVE = [*FIRST[1:10], upsert(20)]


@pytest.fixture
def state(tmp_path: Path) -> HeldState:
    parts = (delta(tmp_path, "first", FIRST)[0], delta(tmp_path, "second", [withdraw(0), upsert(20)])[0])
    return HeldState(IMAGES, (), parts)


def line(row: Row) -> str:
    md5 = row.md5.hex() if row.md5 else ""
    return f"{row.key.hex()},{md5},{row.category or ''},,{row.expires or ''}"


def compare(
    state: HeldState, folder: Path, text: str, *, changes: bool = False, reinstate: tuple[bytes, ...] = ()
) -> Difference:
    path = folder / "new.csv"
    path.write_text(text)
    with open_engine(read=[*state.paths, path], write=folder) as engine:
        intake = read_entries(engine, path, fmt=IMAGES, changes=changes)
        intake.require_good()
        found = difference(engine, state, intake, today=TODAY, reason="superseded", reinstate=reinstate)
        facts = write_delta(engine, found.table, folder / "next.parquet", fmt=IMAGES)
        assert (facts.upserts, facts.withdrawals) == (found.upserts, found.withdrawn)
        assert facts.reasons == ({} if changes or not found.withdrawn else {"superseded": found.withdrawn}) or changes
        return found


def full(rows: list[Row]) -> str:
    return "\n".join(["sha256,md5,category,first_seen,expires", *map(line, rows)]) + "\n"


def changed(*rows: tuple[str, Row]) -> str:
    lines = [f"{op},{row.reason or ''},{line(row)}" for op, row in rows]
    return "\n".join(["op,reason,sha256,md5,category,first_seen,expires", *lines]) + "\n"


def test_it_finds_nothing_to_do_for_the_same_list(state: HeldState, tmp_path: Path) -> None:
    found = compare(state, tmp_path, full(LIVE))
    assert found.empty
    assert found.unchanged == 10


def test_it_finds_additions_updates_and_implied_withdrawals(state: HeldState, tmp_path: Path) -> None:
    found = compare(state, tmp_path, full([*LIVE[2:], upsert(1, category="B"), upsert(40)]))
    assert (found.added, found.updated, found.withdrawn, found.reinstated, found.unchanged) == (1, 1, 1, 0, 8)


def test_it_blocks_withdrawn_keys_unless_they_are_named(state: HeldState, tmp_path: Path) -> None:
    found = compare(state, tmp_path, full([*LIVE, upsert(0)]))
    assert (found.blocked, found.blocked_examples, found.empty) == (1, (digest(0).hex(),), True)
    found = compare(state, tmp_path, full([*LIVE, upsert(0)]), reinstate=(digest(0), digest(1)))
    assert (found.blocked, found.reinstated, found.updated) == (0, 1, 0)


def test_it_applies_changes_once(state: HeldState, tmp_path: Path) -> None:
    text = changed(("upsert", upsert(41)), ("withdraw", withdraw(2)), ("reinstate", upsert(0)))
    found = compare(state, tmp_path, text, changes=True)
    assert (found.added, found.withdrawn, found.reinstated, found.unheld) == (1, 1, 1, 0)
    after = HeldState(IMAGES, (), (*state.deltas, (tmp_path / "next.parquet").rename(tmp_path / "third.parquet")))
    assert compare(after, tmp_path, text, changes=True).empty


def test_it_reports_withdrawals_of_what_was_never_held(state: HeldState, tmp_path: Path) -> None:
    text = changed(("withdraw", withdraw(99)), ("withdraw", withdraw(0)), ("withdraw", withdraw("lapsed")))
    found = compare(state, tmp_path, text, changes=True)
    assert (found.unheld, found.unheld_examples, found.withdrawn) == (1, (digest(99).hex(),), 1)


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_it_exports_what_publish_reads_back(state: HeldState, tmp_path: Path, kind: ExportFormat) -> None:
    path = tmp_path / f"out.{kind}"
    with open_engine(read=state.paths, write=tmp_path) as engine:
        assert export_entries(engine, state, path, kind=kind, today=TODAY - timedelta(days=1)) == 11
        assert export_entries(engine, state, path, kind=kind, today=TODAY) == 10
        intake = read_entries(engine, path, fmt=IMAGES)
        intake.require_good()
        assert difference(engine, state, intake, today=TODAY).empty
        assert export_changes(engine, state.deltas, path, fmt=IMAGES, kind=kind) == 12
        intake = read_entries(engine, path, fmt=IMAGES, changes=True)
        intake.require_good()
        assert difference(engine, state, intake, today=TODAY).empty
    assert list(tmp_path.glob(".*")) == []
