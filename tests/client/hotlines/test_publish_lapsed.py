"""Withdrawals of entries that have lapsed and dropped out: a feed goes on without them, a typed key is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from tests.client.hotlines.desk import LIST, Desk, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.proof import Prover

HEADER = ("op", "reason", "sha256", "category", "expires")
FIRST, LATER, LIVE, UNKNOWN = 0, 10, 5, 999
"""Entries: one that came with the first base and lapses, one that came by a delta and lapses, one that stays, none."""


@pytest.fixture
def lapsed(aurora: Desk, north: North, tmp_path: Path) -> Iterator[Desk]:
    """A list whose base was renewed four days later, after both had lapsed."""
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category,expires")
    aurora.json("publisher", "list", "create", LIST, *declared)
    north.verdict = Prover(north, tmp_path / "proof")
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    first = [("upsert", "", entry(n)[0], "A", soon if n == FIRST else "") for n in range(9)]
    aurora.json("publish", LIST, aurora.csv(first, header=HEADER), "--changes")
    later = aurora.csv([("upsert", "", entry(LATER)[0], "A", soon)], header=HEADER)
    aurora.json("publish", LIST, later, "--changes", "--no-renew-base")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4)):
        north.seal()
        aurora.json("publisher", "renew-base", LIST, "--now")
        assert aurora.json("publisher", "refresh", LIST, "--now")["lists"][0]["adopted_base"] == 2
        yield aurora


def feed(desk: Desk, *numbers: int) -> Path:
    return desk.csv([("withdraw", "other", entry(n)[0], "", "") for n in numbers], header=HEADER, name="feed.csv")


def publish(desk: Desk, *numbers: int) -> Any:
    return desk.json("publish", LIST, feed(desk, *numbers), "--changes")


def test_a_feed_goes_on_without_them(lapsed: Desk) -> None:
    done = publish(lapsed, FIRST, LATER, LIVE)
    assert (done["published"], done["withdrawn"], done["entries"]) == (True, 1, 7)
    rows = [
        {"line": 2, "key": entry(FIRST)[0], "why": "not-on-list"},
        {"line": 3, "key": entry(LATER)[0], "why": "lapsed"},
    ]
    assert done["left_out"] == {"count": 2, "lapsed": 1, "not_on_list": 1, "rows": rows}


def test_it_is_no_failure_when_nothing_else_is_asked(lapsed: Desk) -> None:
    done = publish(lapsed, LATER)
    assert (done["published"], done["left_out"]["count"]) == (False, 1)


def test_it_says_no_more_than_is_known(lapsed: Desk) -> None:
    """Nobody can tell any more whether a key without a trace was there; one that is traced is not called unknown."""
    said = lapsed.run("publish", LIST, feed(lapsed, LATER, UNKNOWN), "--changes")
    assert said.exit_code == 0
    assert "2 withdrawals were left out" in said.stderr
    assert f"line 2     {entry(LATER)[0][:16]}…  lapsed, and dropped out" in said.stderr
    assert f"line 3     {entry(UNKNOWN)[0][:16]}…  not on the list now: it never was, or it lapsed" in said.stderr


def test_the_lines_are_those_of_the_file_beside_bad_ones(lapsed: Desk) -> None:
    rows = [("withdraw", "other", "zz", "", ""), ("withdraw", "other", entry(LATER)[0], "", "")]
    file = lapsed.csv(rows, header=HEADER, name="feed.csv")
    done = lapsed.json("publish", LIST, file, "--changes", "--skip-bad")
    assert [row["line"] for row in done["left_out"]["rows"]] == [3]


def test_a_typed_key_without_a_trace_is_refused(lapsed: Desk) -> None:
    """It may be mistyped, and the entry that was meant would stay in use."""
    failed = lapsed.json("withdraw", LIST, entry(UNKNOWN)[0], entry(LIVE)[0], "--reason", "other", exit_code=6)
    assert failed["error"]["type"] == "not-live"
    assert "is not on this list now" in failed["error"]["detail"]
    assert "leave it out" in failed["error"]["next_step"]
    done = lapsed.json("withdraw", LIST, entry(LIVE)[0], entry(LATER)[0], "--reason", "other")
    assert (done["withdrawn"], done["left_out"]["lapsed"]) == (1, 1)


def test_a_lapsed_entry_that_is_still_held_is_withdrawn(aurora: Desk, north: North, tmp_path: Path) -> None:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category,expires")
    aurora.json("publisher", "list", "create", LIST, *declared)
    north.verdict = Prover(north, tmp_path / "proof")
    rows = [("upsert", "", entry(n)[0], "A", "2020-01-01" if n == FIRST else "") for n in range(9)]
    aurora.json("publish", LIST, aurora.csv(rows, header=HEADER), "--changes")
    done = publish(aurora, FIRST)
    assert (done["withdrawn"], done["left_out"]["count"]) == (1, 0)
    # The base is still the first, so what is not held never was.
    failed = aurora.json("publish", LIST, feed(aurora, UNKNOWN), "--changes", exit_code=6)["error"]
    assert "never on this list" in failed["detail"]


def dated(*rows: tuple[int, str]) -> list[tuple[str, str, str]]:
    return [(entry(number)[0], "A", expires) for number, expires in rows]


def test_a_full_list_that_goes_on_naming_what_lapsed_publishes_it_no_more(lapsed: Desk) -> None:
    """A hotline's export has the row for good; the base has dropped it. It must not come back and go for ever."""
    over = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    rows = dated((FIRST, over), *((number, "") for number in range(1, 9)), (UNKNOWN, over))
    file = lapsed.csv(rows, header=("sha256", "category", "expires"), name="full.csv")
    for _ in range(2):
        done = lapsed.json("publish", LIST, file, "--no-renew-base")
        assert (done["published"], done["added"], done["unchanged"], done["outdated"]) == (False, 0, 8, 2)
    said = lapsed.run("publish", LIST, file, "--no-renew-base")
    assert "! 2 new rows have lapsed already and stay out, by the date in `expires`: see " in said.stderr


def test_a_date_that_is_cut_short_to_the_past_is_published(lapsed: Desk) -> None:
    over = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    rows = dated(*((number, over if number == LIVE else "") for number in range(1, 9)))
    done = lapsed.json("publish", LIST, lapsed.csv(rows, header=("sha256", "category", "expires"), name="full.csv"))
    assert (done["published"], done["updated"], done["withdrawn"], done["outdated"]) == (True, 1, 0, 0)


def test_a_first_version_leaves_out_what_lapsed_before_it(aurora: Desk, north: North, tmp_path: Path) -> None:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category,expires")
    aurora.json("publisher", "list", "create", LIST, *declared)
    north.verdict = Prover(north, tmp_path / "proof")
    today = datetime.now(UTC).date().isoformat()
    rows = dated((1, ""), (2, today), (3, "2999-12-31"))
    done = aurora.json("publish", LIST, aurora.csv(rows, header=("sha256", "category", "expires")))
    assert (done["added"], done["outdated"], done["entries"]) == (2, 1, 2)
    assert (
        aurora.json("publish", LIST, aurora.csv(rows, header=("sha256", "category", "expires")))["published"] is False
    )
