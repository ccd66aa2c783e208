"""A member asks the hub no oftener than its lists allow, unless there is something to be done."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from hashshare.client.replacing import plan
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt, Ran
from tests.client.members.north import Fault, North


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HASHSHARE_SYNC_NOW", raising=False)


@pytest.fixture
def synced(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    aurora.release(items(5))
    assert cobalt.call("sync").status == 0
    return cobalt


def polls(north: North) -> int:
    return sum(path.endswith("/heads") for path in north.paths())


def asks(cobalt: Cobalt, north: North, *words: str) -> Ran | None:
    """What `sync` said if it asked the hub, None if it did not."""
    before = polls(north)
    ran = cobalt.call("sync", *words)
    return ran if polls(north) > before else None


def last_asked(cobalt: Cobalt, *, ago: timedelta) -> None:
    at = (datetime.now(UTC) - ago).timestamp()
    os.utime(cobalt.folder / "asked", (at, at))


def test_it_asks_nothing_sooner_than_the_lists_allow(synced: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(1))
    north.requests.clear()
    ran = synced.call("sync", "--json")
    assert (ran.status, ran.json["lists"], north.requests) == (0, [], [])
    begun = datetime.fromisoformat(ran.json["early"]["asked_at"])
    assert datetime.fromisoformat(ran.json["early"]["again_at"]) - begun == timedelta(seconds=300)
    quiet = synced.call("sync")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")


def test_it_asks_when_the_time_has_come(synced: Cobalt, north: North) -> None:
    last_asked(synced, ago=timedelta(seconds=200))
    assert asks(synced, north) is None
    last_asked(synced, ago=timedelta(seconds=295))
    assert asks(synced, north) is not None
    assert asks(synced, north) is None


@pytest.mark.parametrize("words", [("--now",), ("--force",), ("--accept-shrink",), ("images",), ("--exec", "true")])
def test_it_asks_when_it_is_told_to(synced: Cobalt, north: North, words: tuple[str, ...]) -> None:
    assert asks(synced, north, *words) is not None


def test_a_clock_that_was_set_back_keeps_nobody_waiting(synced: Cobalt, north: North) -> None:
    last_asked(synced, ago=timedelta(hours=-3))
    assert asks(synced, north) is not None


def test_it_asks_after_a_sync_that_failed(synced: Cobalt, aurora: Aurora, north: North) -> None:
    north.faults.append(Fault("heads", status=503, times=20))
    assert synced.call("sync", "--now").status != 0
    north.faults.clear()
    assert asks(synced, north) is not None
    aurora.release(items(1))
    north.faults.append(Fault("delta", status=403, times=20))
    assert synced.call("sync", "--now").status != 0
    north.faults.clear()
    ran = asks(synced, north, "--json")
    assert ran is not None
    assert ran.json["lists"][0]["version"] == 3


def test_it_asks_when_something_is_pending(synced: Cobalt, aurora: Aurora, north: North) -> None:
    assert asks(synced, north) is None
    told = synced.store(aurora).folder / "acknowledgement.json"
    told.unlink()
    assert asks(synced, north) is not None
    synced.store(aurora).manifest_path(synced.store(aurora).usable().manifest_sha256).unlink()
    assert asks(synced, north) is not None
    timestamp = synced.folder / "publishers" / aurora.domain / "metadata" / "timestamp.json"
    assert timestamp.exists()
    timestamp.unlink()
    assert asks(synced, north) is not None
    assert asks(synced, north) is None
    plan(synced.home, aurora.domain, "0" * 64)
    assert asks(synced, north) is not None


def test_it_asks_after_a_subscription(synced: Cobalt, aurora: Aurora, north: North) -> None:
    assert synced.call("subscribe", aurora.name, "--accept-terms").status == 0
    assert asks(synced, north) is not None
