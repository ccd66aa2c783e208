"""The poll names each publisher's root: one that changes alone is followed at the next poll, one that is a lie costs a
refresh and no more.
"""

from __future__ import annotations

import pytest

from hashshare.client.repository import Repository
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora, north: North) -> Cobalt:
    north.named_roots = True
    aurora.release(items(2))
    assert cobalt.call("sync").status == 0
    assert cobalt.call("pin", aurora.domain, aurora.fingerprint).status == 0
    return cobalt


def asked(cobalt: Cobalt, north: North, *, status: int = 0) -> list[str]:
    """What one sync asks for."""
    north.requests.clear()
    assert cobalt.call("sync").status == status
    return north.paths()


def root_version(cobalt: Cobalt, aurora: Aurora) -> int:
    return Repository(cobalt.home, cobalt.session, aurora.domain).root_version


def test_nothing_new_is_one_request(held: Cobalt, north: North) -> None:
    asked(held, north)
    assert len(asked(held, north)) == 1


def test_a_root_that_changes_alone_is_followed_at_the_next_poll(held: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.rotate_root()
    assert root_version(held, aurora) == 1
    said = held.call("sync")
    assert (said.status, "root v1 → v2" in said.out) == (0, True)
    assert root_version(held, aurora) == 2
    assert len(asked(held, north)) == 1


def test_a_hub_that_does_not_name_roots_costs_nothing(held: Cobalt, aurora: Aurora, north: North) -> None:
    north.named_roots = False
    asked(held, north)
    aurora.rotate_root()
    assert len(asked(held, north)) == 1
    assert root_version(held, aurora) == 1


@pytest.mark.parametrize("claimed", [2, 2**53 - 1])
def test_a_version_that_no_root_has_is_looked_for_once(
    held: Cobalt, aurora: Aurora, north: North, claimed: int
) -> None:
    north.claimed_root = claimed
    first = asked(held, north)
    assert len([path for path in first if path.endswith("/2.root.json")]) == 1
    assert len(asked(held, north)) == 1
    assert held.call("verify").status == 0


def test_after_such_a_lie_a_true_root_is_followed_all_the_same(held: Cobalt, aurora: Aurora, north: North) -> None:
    north.claimed_root = 2**53 - 1
    asked(held, north)
    north.claimed_root = None
    aurora.rotate_root()
    asked(held, north)
    assert root_version(held, aurora) == 2


@pytest.mark.parametrize("claimed", [2**53, -1, "9"])
def test_a_version_that_can_be_none_is_refused_as_nonsense(held: Cobalt, north: North, claimed: object) -> None:
    north.claimed_root = claimed  # type: ignore[assignment]
    assert len(asked(held, north, status=5)) == 1
