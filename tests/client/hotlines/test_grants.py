"""`requests`, `grant`, `deny`, `revoke`."""

from __future__ import annotations

import pytest

from tests.client.hotlines.desk import LIST, Desk
from tests.client.hotlines.north import North


@pytest.fixture
def asked(images: Desk, north: North) -> Desk:
    cobalt = {"slug": "cobalt", "name": "Cobalt", "kind": "member", "country": "NL"}
    north.subscriptions["cobalt"] = {
        "list": LIST,
        "organisation": cobalt,
        "state": "requested",
        "requested_at": "2026-11-22T12:00:00Z",
        "ends_at": None,
    }
    return images


def test_it_shows_who_asks_and_the_next_step(asked: Desk) -> None:
    result = asked.run("requests", LIST)
    assert result.exit_code == 0
    assert "1 waiting for a decision" in result.stdout
    assert "cobalt" in result.stdout
    assert f"hashshare grant {LIST} cobalt --until" in result.stdout
    assert asked.json("requests", "images")["subscriptions"][0]["state"] == "requested"


def test_it_says_when_nobody_asks(images: Desk) -> None:
    assert "Nobody has asked" in images.run("requests", LIST).stdout


def test_it_grants_until_a_day(asked: Desk, north: North) -> None:
    done = asked.json("grant", LIST, "cobalt", "--until", "2999-01-31")
    assert (done["subscription"]["state"], done["subscription"]["ends_at"]) == ("active", "2999-01-31")


@pytest.mark.parametrize("until", ["tomorrow", "2020-01-01", "2999-02-30"])
def test_it_rejects_days_that_are_none_or_past(asked: Desk, north: North, until: str) -> None:
    asked.json("grant", LIST, "cobalt", "--until", until, exit_code=2)
    assert north.subscriptions["cobalt"]["state"] == "requested"


def test_it_denies_and_revokes_with_a_reason(asked: Desk, north: North) -> None:
    assert asked.json("deny", LIST, "cobalt", "--reason", "unknown")["subscription"]["state"] == "denied"
    assert asked.json("revoke", LIST, "cobalt", "--reason", "left")["subscription"]["reason"] == "left"


def test_it_rejects_an_organisation_that_never_asked(asked: Desk) -> None:
    assert asked.json("grant", LIST, "ember", "--until", "2999-01-31", exit_code=2)["error"]["type"] == "not-found"
