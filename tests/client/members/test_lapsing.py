"""At the member entries lapse on their date by what was signed alone: nothing is fetched, told or run for it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from hashshare.client.export import export_list
from hashshare.client.lookup import look_up, open_index
from hashshare.client.scan import Tally, scan
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt
from tests.client.members.test_sync import sync

KEPT, LAPSING, CUT, FREED = range(4)


@pytest.fixture
def day() -> date:
    return (datetime.now(UTC) + timedelta(days=40)).date()


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora, day: date) -> list[Item]:
    """Four entries, in two releases: one for good, one until `day`, one cut short to it, one freed of it."""
    bodies = [item.content for item in items(4)]
    aurora.release(
        [Item(bodies[KEPT]), Item(bodies[LAPSING], "A", day), Item(bodies[CUT]), Item(bodies[FREED], "A", day)]
    )
    final = [Item(bodies[KEPT]), Item(bodies[LAPSING], "A", day), Item(bodies[CUT], "A", day), Item(bodies[FREED])]
    aurora.release([final[CUT], final[FREED]])
    sync(cobalt, aurora)
    return final


def looked_up(cobalt: Cobalt, aurora: Aurora, held: list[Item], folder: Path) -> set[int]:
    with open_index(cobalt.home) as index:
        found = look_up(index, [item.sha256.hex() for item in held] + [f"md5:{item.md5.hex()}" for item in held])
    by_key = {number for number, item in enumerate(held) if found[item.sha256.hex()]}
    assert by_key == {number for number, item in enumerate(held) if found[f"md5:{item.md5.hex()}"]}
    return by_key


def scanned(cobalt: Cobalt, aurora: Aurora, held: list[Item], folder: Path) -> set[int]:
    files = folder / "files"
    files.mkdir(exist_ok=True)
    for number, item in enumerate(held):
        (files / str(number)).write_bytes(item.content)
    with open_index(cobalt.home) as index:
        matches = list(scan(index, [files], tally=Tally(), unreadable=lambda path, why: pytest.fail(why)))
    return {int(match.path.name) for match in matches}


def exported(cobalt: Cobalt, aurora: Aurora, held: list[Item], folder: Path) -> set[int]:
    _, rows = export_list(cobalt.store(aurora), folder / "export.csv", kind="csv")
    with (folder / "export.csv").open(newline="") as file:
        keys = {row["sha256"] for row in csv.DictReader(file)}
    assert rows == len(keys)
    return {number for number, item in enumerate(held) if item.sha256.hex() in keys}


def moments(day: date) -> Iterator[tuple[datetime, set[int]]]:
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    everything = {KEPT, LAPSING, CUT, FREED}
    yield midnight - timedelta(days=1), everything
    yield midnight - timedelta(seconds=1), everything
    yield midnight, {KEPT, FREED}
    yield midnight + timedelta(days=1), {KEPT, FREED}


def test_lookup_scan_and_export_agree_to_the_second(
    cobalt: Cobalt, aurora: Aurora, held: list[Item], day: date, tmp_path: Path
) -> None:
    for moment, live in moments(day):
        with time_machine.travel(moment, tick=False):
            found = {read.__name__: read(cobalt, aurora, held, tmp_path) for read in (looked_up, scanned, exported)}
        assert found == dict.fromkeys(found, live), moment


def test_what_is_held_and_counted_stays_until_the_base_is_renewed(
    cobalt: Cobalt, aurora: Aurora, held: list[Item], day: date
) -> None:
    """The count is the signed one: the same at hub and member, whatever the day."""
    with time_machine.travel(datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=1)):
        state = cobalt.store(aurora).held()
        assert state is not None
        assert state.entries == 4
        aurora.renew_base()
        aurora.release(items(1))
        sync(cobalt, aurora)
        state = cobalt.store(aurora).held()
        assert state is not None
        assert state.entries == 3
