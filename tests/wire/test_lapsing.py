"""An entry lapses at 00:00 UTC of its date for every reader alike, however the list is laid out in files."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from hashshare.wire.checks import check_delta
from hashshare.wire.compaction import merge_deltas, renew_base
from hashshare.wire.difference import difference
from hashshare.wire.engine import open_engine, paths
from hashshare.wire.errors import WrongFold
from hashshare.wire.export import export_changes, export_entries
from hashshare.wire.intake import read_entries
from hashshare.wire.lapsing import day_of
from hashshare.wire.seeking import lookup
from hashshare.wire.state import HeldState, count_entries
from tests.wire.bases import check_base

from .lists import IMAGES, Row, delta, digest, upsert, withdraw
from .test_difference import full

DAY = date(2026, 11, 22)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
LONG_AGO = date(2020, 2, 29)
DAYS = (BEFORE, DAY, AFTER)


@dataclass(frozen=True)
class Case:
    """An entry's operations in three releases (None: none), and whether it counts before, on and after the day."""

    name: str
    first: Row | None
    second: Row | None = None
    third: Row | None = None
    counts: tuple[bool, bool, bool] = field(default=(True, True, True))

    @property
    def key(self) -> bytes:
        return digest(self.name)


def on(name: str, expires: date | None, op: int = 1) -> Row:
    return upsert(name, op=op, expires=expires)


def case(name: str, *steps: tuple[str, date | None] | str | None, counts: str) -> Case:
    """A step is ("upsert" or "reinstate", expires), "withdraw", or nothing. `counts`: one letter a day, y or n."""
    rows: list[Row | None] = []
    for step in (*steps, None, None)[:3]:
        if isinstance(step, tuple):
            rows.append(on(name, step[1], 3 if step[0] == "reinstate" else 1))
        else:
            rows.append(withdraw(name) if step else None)
    before, day, after = (letter == "y" for letter in counts)
    return Case(name, rows[0], rows[1], rows[2], (before, day, after))


CASES = (
    case("for good", ("upsert", None), counts="yyy"),
    case("lapses that day", ("upsert", DAY), counts="ynn"),
    case("lapses the day after", ("upsert", AFTER), counts="yyn"),
    case("lapsed long ago", ("upsert", LONG_AGO), counts="nnn"),
    case("added later, lapses", None, ("upsert", DAY), counts="ynn"),
    case("cut short later", ("upsert", None), ("upsert", DAY), counts="ynn"),
    case("cut short to the past", ("upsert", None), ("upsert", LONG_AGO), counts="nnn"),
    case("prolonged later", ("upsert", DAY), ("upsert", AFTER), counts="yyn"),
    case("freed of its date", ("upsert", DAY), ("upsert", None), counts="yyy"),
    case("lapsed, then put in force again", ("upsert", LONG_AGO), ("upsert", DAY), counts="ynn"),
    case("cut short, then freed", ("upsert", None), ("upsert", LONG_AGO), ("upsert", None), counts="yyy"),
    case("withdrawn before it lapses", ("upsert", DAY), "withdraw", counts="nnn"),
    case("withdrawn after it lapsed", ("upsert", LONG_AGO), "withdraw", counts="nnn"),
    case("withdrawn, without a date", ("upsert", None), "withdraw", counts="nnn"),
    case("added and withdrawn later", None, ("upsert", DAY), "withdraw", counts="nnn"),
    case("reinstated for good", ("upsert", DAY), "withdraw", ("reinstate", None), counts="yyy"),
    case("reinstated until that day", ("upsert", None), "withdraw", ("reinstate", DAY), counts="ynn"),
    case("reinstated until the day after", ("upsert", LONG_AGO), "withdraw", ("reinstate", AFTER), counts="yyn"),
    case("reinstated, lapsed already", ("upsert", None), "withdraw", ("reinstate", LONG_AGO), counts="nnn"),
)


def live(today: date) -> set[bytes]:
    return {case.key for case in CASES if case.counts[DAYS.index(today)]}


@pytest.fixture(
    scope="module", params=["a base and deltas", "deltas alone", "a base and one merged delta", "a base of the newest"]
)
def state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HeldState:
    """The same list in four layouts. The bases were built when nothing had lapsed."""
    return laid_out(request.param, tmp_path_factory.mktemp("list"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> HeldState:
    return laid_out("a base and deltas", tmp_path_factory.mktemp("plain"))


def laid_out(layout: str, tmp_path: Path) -> HeldState:
    releases = [
        [row for row in (getattr(case, step) for case in CASES) if row] for step in ("first", "second", "third")
    ]
    parts = tuple(delta(tmp_path, name, rows)[0] for name, rows in zip("abc", releases, strict=True))
    if layout == "deltas alone":
        return HeldState(IMAGES, (), parts)
    in_base = 3 if layout == "a base of the newest" else 1
    before, rest = HeldState(IMAGES, (), parts[:in_base]), parts[in_base:]
    with open_engine(read=parts, write=tmp_path) as engine:
        shards = renew_base(engine, before, tmp_path, version=in_base, today=date.min, shard_entries=5)
        if layout == "a base and one merged delta":
            merged = tmp_path / "merged.parquet"
            merge_deltas(engine, rest, merged, fmt=IMAGES)
            rest = (merged,)
    return HeldState(IMAGES, tuple(shard.path for shard in shards), rest, parts[:in_base])


# --- Readers: each gives the keys that it takes for live ------------------------------------------------------------

Reader = Callable[[HeldState, Path, date], set[bytes]]


def by_key(state: HeldState, folder: Path, today: date) -> set[bytes]:
    with open_engine(read=state.paths) as engine:
        return set(lookup(engine, state, [case.key for case in CASES], algorithm="sha256", today=today))


def by_md5(state: HeldState, folder: Path, today: date) -> set[bytes]:
    """As a scan of files asks, by a further hash."""
    digests = [digest(("md5", case.name), 16) for case in CASES]
    with open_engine(read=state.paths) as engine:
        found = lookup(engine, state, digests, algorithm="md5", today=today)
    return {entry.key for entries in found.values() for entry in entries}


def exported(state: HeldState, folder: Path, today: date) -> set[bytes]:
    path = folder / "export.csv"
    with open_engine(read=state.paths, write=folder) as engine:
        export_entries(engine, state, path, kind="csv", today=today)
    with path.open(newline="") as file:
        return {bytes.fromhex(row["sha256"]) for row in csv.DictReader(file)}


def changes_followed(state: HeldState, folder: Path, today: date) -> set[bytes]:
    """Somebody who keeps a copy by `changes` and asks the date of each row, as the manual says."""
    held: dict[bytes, str] = {}
    path = folder / "changes.csv"
    with open_engine(read=state.paths, write=folder) as engine:
        base = folder / "base.csv"
        export_entries(engine, HeldState(state.fmt, state.base), base, kind="csv", today=date.min)
        with base.open(newline="") as file:
            held |= {bytes.fromhex(row["sha256"]): row["expires"] for row in csv.DictReader(file)}
        if state.deltas:
            export_changes(engine, state.deltas, path, fmt=IMAGES, kind="csv")
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    key = bytes.fromhex(row["sha256"])
                    held.pop(key, None)
                    if row["op"] != "withdraw":
                        held[key] = row["expires"]
    return {key for key, expires in held.items() if not expires or date.fromisoformat(expires) > today}


def rebuilt(state: HeldState, folder: Path, today: date) -> set[bytes]:
    """The base that the publisher builds that day, which the hub and every member accept as such."""
    shards = new_base(state, folder, today)
    with open_engine(read=[*state.paths, *shards]) as engine:
        check_base(engine, state, shards, today=today)
        rows = engine.execute(f"SELECT p, s FROM read_parquet({paths(shards)})").fetchall()
    return {p.to_bytes(8, "big") + s for p, s in rows}


def withdrawn_by_omission(state: HeldState, folder: Path, today: date) -> set[bytes]:
    """What a full list without any entry would take back: only what still counts."""
    path = folder / "empty.csv"
    path.write_text(full([upsert("somebody else's")]))
    with open_engine(read=[*state.paths, path], write=folder) as engine:
        intake = read_entries(engine, path, fmt=IMAGES, changes=False)
        found = difference(engine, state, intake, today=today)
        rows = engine.execute(f"SELECT p, s FROM {found.table} WHERE op = 2").fetchall()
    return {p.to_bytes(8, "big") + s for p, s in rows}


READERS: dict[str, Reader] = {
    reader.__name__: reader for reader in (by_key, by_md5, exported, changes_followed, rebuilt, withdrawn_by_omission)
}


@pytest.mark.parametrize("today", DAYS, ids=["before", "day", "after"])
def test_every_reader_takes_the_same_entries_for_live(state: HeldState, tmp_path: Path, today: date) -> None:
    found = {name: read(state, tmp_path, today) for name, read in READERS.items()}
    named = {name: sorted(case.name for case in CASES if case.key in keys) for name, keys in found.items()}
    expected = sorted(case.name for case in CASES if case.key in live(today))
    assert named == dict.fromkeys(READERS, expected)
    with open_engine(read=state.paths) as engine:
        assert count_entries(engine, state, today=today) == len(expected)


def test_the_count_that_is_signed_knows_no_date(state: HeldState) -> None:
    """It is the same at hub and member on any day: all that is held, lapsed or not."""
    last = [[row for row in (case.first, case.second, case.third) if row][-1] for case in CASES]
    with open_engine(read=state.paths) as engine:
        assert count_entries(engine, state) == sum(row.op != 2 for row in last)


def new_base(state: HeldState, folder: Path, today: date) -> list[Path]:
    made = folder / f"base-{today}"
    made.mkdir(exist_ok=True)
    with open_engine(read=state.paths, write=made) as engine:
        return [it.path for it in renew_base(engine, state, made, version=9, today=today, shard_entries=5)]


def test_a_base_may_leave_out_what_has_lapsed_and_nothing_else(plain: HeldState, tmp_path: Path) -> None:
    """One that says another day than that on which it was made: it may keep more than it must, never less."""
    for built, said in itertools.permutations(DAYS, 2):
        shards = new_base(plain, tmp_path, built)
        with open_engine(read=[*plain.paths, *shards]) as engine:
            if built < said:
                check_base(engine, plain, shards, today=said)
            else:
                with pytest.raises(WrongFold):
                    check_base(engine, plain, shards, today=said)


def test_the_hub_takes_a_withdrawal_of_what_is_held_on_any_day(state: HeldState, tmp_path: Path) -> None:
    """Its check of live keys asks for no date: what has lapsed is held until a base leaves it out."""
    names = ["lapsed long ago", "lapses that day", "for good", "reinstated, lapsed already"]
    path, _ = delta(tmp_path, "withdrawal", [withdraw(name) for name in names])
    with open_engine(read=[*state.paths, path]) as engine:
        assert check_delta(engine, state, path, guard={}).withdrawn == len(names)


@pytest.mark.parametrize("hours", [-12, -1, 0, 5.5, 14])
def test_the_day_is_that_of_utc_wherever_the_clock_stands(hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    for moment, day in (
        (datetime(2026, 11, 21, 23, 59, 59, 999_999, UTC), BEFORE),
        (datetime(2026, 11, 22, tzinfo=UTC), DAY),
        (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), DAY),
    ):
        assert day_of(moment.astimezone(zone)) == day
