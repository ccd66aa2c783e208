"""A list that is no longer offered alarms until it is held no longer."""

from __future__ import annotations

import pytest

from .aurora import Aurora, items
from .conftest import Cobalt
from .north import North


@pytest.fixture
def withheld(cobalt: Cobalt, aurora: Aurora, north: North) -> str:
    """A held list that the hub offers no more."""
    aurora.release(items(5))
    assert cobalt.run("sync").status == 0
    north.publishers.remove(aurora)
    return aurora.name


def test_it_alarms_at_every_sync(cobalt: Cobalt, withheld: str) -> None:
    for _ in range(2):
        done = cobalt.run("sync", "--json")
        assert (done.status, done.json["lists"][0]["gone"]) == (3, True)


def test_it_is_quiet_once_the_list_is_forgotten(cobalt: Cobalt, aurora: Aurora, withheld: str) -> None:
    folder = cobalt.store(aurora).folder
    assert cobalt.run("forget", withheld, "--yes", "--json").json["entries"] == len(aurora.live)
    assert not folder.exists()
    assert cobalt.run("sync").status == 0


def test_it_comes_back_whole_when_it_is_offered_again(
    cobalt: Cobalt, aurora: Aurora, north: North, withheld: str
) -> None:
    cobalt.run("forget", withheld, "--yes")
    north.publishers.append(aurora)
    assert cobalt.run("sync", "--json").json["lists"][0]["entries"] == len(aurora.live)


def test_it_removes_nothing_unasked(cobalt: Cobalt, aurora: Aurora, withheld: str) -> None:
    assert cobalt.run("forget", withheld).status == 2
    assert cobalt.store(aurora).held() is not None


def test_it_says_when_there_is_nothing_to_forget(cobalt: Cobalt, withheld: str) -> None:
    cobalt.run("forget", withheld, "--yes")
    assert cobalt.run("forget", withheld, "--yes").status == 2
