"""`propagation` and `withdraw --wait`: a withdrawal is followed until every member has applied it."""

from __future__ import annotations

from typing import Any

import pytest

from hashshare.client.cli.propagation import duration
from hashshare.client.propagation import await_propagation
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import NetworkError
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North


def member(slug: str, state: str) -> dict[str, Any]:
    return {
        "organisation": {"slug": slug, "name": slug.title(), "country": "NL"},
        "applied_at": "2026-11-22T12:00:41Z" if state in ("applied", "purged") else None,
        "purged_at": "2026-11-25T12:00:00Z" if state == "purged" else None,
        "overdue": state == "overdue",
        "state": state,
    }


def withdrawal(version: int, *states: str) -> dict[str, Any]:
    """A withdrawal whose members are called after their number, in these states."""
    done = [state for state in states if state in ("applied", "purged")]
    return {
        "version": version,
        "published_at": "2026-11-22T12:00:00Z",
        "withdrawn": 1,
        "deadline": "2026-11-23T12:00:00Z",
        "entitled": len(states),
        "applied": len(done),
        "purged": states.count("purged"),
        "overdue": states.count("overdue"),
        "median_seconds": 41.0 if done else None,
        "p95_seconds": 41.0 if done else None,
        "members": [member(f"member-{number}", state) for number, state in enumerate(states)],
    }


class Looks:
    """What the hub shows from look to look; the last for ever."""

    def __init__(self, *looks: tuple[str, ...]) -> None:
        self.looks = list(looks)
        self.seen = 0

    def __call__(self, version: int | None) -> list[dict[str, Any]]:
        states = self.looks[min(self.seen, len(self.looks) - 1)]
        self.seen += 1
        return [withdrawal(version or 2, *states)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashshare.client.propagation.SHORTEST_LOOK", 0.01)


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(200)), header=HEADER))
    return images


def withdraw(desk: Desk, *words: str, number: int = 0) -> list[str]:
    return ["withdraw", LIST, entry(number)[0], "--reason", "incorrect", *words]


def test_it_shows_each_withdrawal_in_a_line_and_who_is_overdue_on_demand(published: Desk, north: North) -> None:
    north.spread = lambda version: [withdrawal(version or 3, "purged", "applied", "overdue", "waiting", "left")]
    shown = published.run("propagation", LIST)
    assert shown.exit_code == 0
    assert "within 24 hours" in shown.stdout
    row = next(line.split() for line in shown.stdout.splitlines() if line.startswith(" ") and "v3" in line)
    assert row[2:] == ["1", "5", "2", "1", "1", "41", "s", "41", "s"]
    assert f"hashshare propagation {LIST} --version 3" in shown.stdout
    one = published.run("propagation", LIST, "--version", "3").stdout
    assert [line.split()[-1] for line in one.splitlines() if line.startswith("member-")] == [
        *("overdue", "waiting", "applied", "purged", "left")
    ]
    assert published.json("propagation", "images")["withdrawals"][0]["overdue"] == 1


def test_it_says_when_nothing_was_withdrawn(published: Desk) -> None:
    assert "Nothing was withdrawn lately" in published.run("propagation", LIST).stdout
    assert published.json("propagation", LIST, "--version", "1", exit_code=2)["error"]["type"] == "not-found"


def test_waiting_ends_when_every_member_has_applied(published: Desk, north: North) -> None:
    north.spread = Looks(("waiting", "waiting", "left"), ("applied", "waiting", "left"), ("applied", "applied", "left"))
    done = published.json(*withdraw(published, "--wait"))
    assert (done["published"], done["version"], done["withdrawn"]) == (True, 2, 1)
    assert done["propagation"]["withdrawals"][0]["applied"] == 2


def test_waiting_ends_with_1_once_a_member_is_overdue(published: Desk, north: North) -> None:
    north.spread = Looks(("waiting", "waiting"), ("applied", "overdue"))
    result = published.run(*withdraw(published, "--wait"))
    assert result.exit_code == 1
    assert "overdue since 2026-11-23T12:00:00Z: member-1." in result.stderr
    assert published.json("release", "status", LIST)["releases"][0]["version"] == 2


def test_waiting_ends_with_1_when_the_time_given_is_over(published: Desk, north: North) -> None:
    north.spread = Looks(("waiting", "applied"))
    result = published.run(*withdraw(published, "--wait-seconds", "0.2"))
    assert result.exit_code == 1
    assert "1 member had not applied it" in result.stderr
    assert "v2 is published" in result.stderr


def test_run_again_it_goes_on_waiting_for_the_last_withdrawal(published: Desk, north: North) -> None:
    published.json(*withdraw(published))
    north.spread = Looks(("waiting",), ("waiting",), ("applied",))
    again = published.json(*withdraw(published, "--wait"))
    assert again["published"] is False
    assert again["propagation"]["withdrawals"][0]["applied"] == 1


def test_a_list_without_members_waits_for_nobody(published: Desk, north: North) -> None:
    north.spread = Looks(())
    assert published.json(*withdraw(published, "--wait"))["propagation"]["withdrawals"][0]["members"] == []


def test_a_hub_that_cannot_tell_does_not_undo_the_withdrawal(published: Desk, north: North) -> None:
    north.spread = lambda version: [{"version": version}]
    done = published.json(*withdraw(published, "--wait"), exit_code=5)
    assert (done["published"], done["version"]) == (True, 2)
    assert "v2 is published" in done["error"]["next_step"]


def test_it_waits_for_a_hub_that_is_away_for_a_moment(published: Desk, north: North, url: str) -> None:
    session, pauses = Session(url, key=keys.generate()), 0

    def back(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        north.spread = Looks(("applied",)) if pauses > 2 else (lambda version: [{}])

    session.wait = back
    north.spread = lambda version: [{}]
    done = await_propagation(session, LIST, version=2, patience=None, watch=lambda one: None)
    assert (done.withdrawals[0].awaited, pauses) == (0, 3)
    session.wait = lambda seconds: None
    north.spread = lambda version: [{}]
    with pytest.raises(NetworkError):
        await_propagation(session, LIST, version=2, patience=None, watch=lambda one: None)


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "-"), (0, "0 s"), (59, "59 s"), (90, "1.5 min"), (7_200, "2.0 h"), (129_600, "1.5 d")]
)
def test_durations_are_in_the_largest_unit(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


# --- other hubs ---------------------------------------------------------------------------------------------------


def hub(*path: str, evidence: str = "documents", **numbers: Any) -> dict[str, Any]:
    told = bool(evidence)
    return {
        "hub": path[-1],
        "path": list(path),
        "mirror": {"state": "applied", "applied_at": "2026-11-22T12:05:00Z", "purged_at": None}
        if len(path) == 1
        else None,
        "evidence": evidence,
        "told_at": "2026-11-22T15:00:00Z" if told else None,
        "served_at": "2026-11-22T12:05:00Z" if told else None,
        **dict.fromkeys(("entitled", "applied", "purged", "overdue", "stated"), 0),
        "median_seconds": None,
        "p95_seconds": None,
        "members": [],
        **numbers,
    }


def spread_over(*hubs: dict[str, Any]) -> Any:
    return lambda version: [{**withdrawal(version or 3, "applied"), "hubs": list(hubs)}]


def test_it_shows_how_far_other_hubs_are(published: Desk, north: North) -> None:
    south = hub("south.example", entitled=7, applied=4, purged=2, overdue=1, median_seconds=600, p95_seconds=7200)
    east = hub("south.example", "east.example", evidence="counts", entitled=3, applied=3, median_seconds=60.0)
    north.spread = spread_over(south, east, hub("west.example", evidence=""))
    lines = [" ".join(line.split()) for line in published.run("propagation", LIST).stdout.splitlines()]
    assert "At other hubs, as these report:" in lines
    assert "v3 south.example 5.0 min 7 4 2 1 10.0 min 2.0 h signed statements" in lines
    assert "v3 east.example via south.example 3 3 0 0 1.0 min - its numbers" in lines
    assert "v3 west.example 5.0 min - - - - - - nothing told yet" in lines


def test_it_shows_the_members_of_other_hubs_of_one_withdrawal(published: Desk, north: North) -> None:
    members = [
        {**member("basalt", "applied"), "organisation": "basalt", "name": "", "country": "PT"},
        {**member("agate", "overdue"), "organisation": "agate", "name": "Agate", "country": "DE"},
    ]
    south = hub("south.example", entitled=2, applied=1, overdue=1, stated=1, median_seconds=41, members=members)
    north.spread = spread_over(south, hub("west.example", evidence=""))
    shown = published.run("propagation", LIST, "--version", "3").stdout
    assert "south.example   copied after 5.0 min, applied by 1 of 2 members, purged by 0, 1 overdue" in shown
    assert "1 signed statement of its members at your hub" in shown
    assert [line.split()[0] for line in shown.splitlines() if line.startswith(("agate", "basalt"))] == [
        *("agate", "basalt")
    ]
    assert "west.example   copied after 5.0 min, told nothing of its members yet" in shown


def test_a_hub_that_knows_of_no_others_is_understood(published: Desk, north: North) -> None:
    """As one of an older version."""
    north.spread = lambda version: [withdrawal(version or 3, "applied")]
    assert "At other hubs" not in published.run("propagation", LIST).stdout
