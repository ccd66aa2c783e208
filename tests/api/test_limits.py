"""Requests are counted per organisation, whichever key and door they come by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from pytest_django.fixtures import Settings

from hashshare.api.throttling import parse_rate
from tests.api.parties import CLIENT, Party, refused, with_authorization

pytestmark = pytest.mark.django_db

MINUTE = datetime(2026, 11, 22, 12, 0, 20, tzinfo=UTC)


def test_it_answers_429_and_says_when_to_come_again(cobalt: Party, aurora: Party, settings: Settings) -> None:
    with time_machine.travel(MINUTE, tick=False) as clock:
        mine, theirs = f"Bearer {cobalt.token()}", f"Bearer {aurora.token()}"
        settings.HASHSHARE_RATE_LIMIT = "3/min"
        for _ in range(2):
            assert with_authorization(CLIENT, "GET", "heads", mine).status_code == 200
        response = with_authorization(CLIENT, "GET", "heads", mine)
        problem = refused(response, 429, "too-many-requests")
        assert response.headers["Retry-After"] == "41" == str(problem["retry_after"])
        refused(cobalt.signed("GET", "status"), 429, "too-many-requests")
        assert with_authorization(CLIENT, "GET", "heads", theirs).status_code == 200
        clock.shift(41)
        assert with_authorization(CLIENT, "GET", "heads", mine).status_code == 200


def test_it_counts_strangers_by_address(db: None, settings: Settings) -> None:
    settings.HASHSHARE_RATE_LIMIT = "1/hour"
    assert CLIENT.get("/.well-known/hashshare", REMOTE_ADDR="192.0.2.1").status_code == 200
    refused(CLIENT.get("/.well-known/hashshare", REMOTE_ADDR="192.0.2.1"), 429, "too-many-requests")
    assert CLIENT.get("/.well-known/hashshare", REMOTE_ADDR="192.0.2.2").status_code == 200


def test_it_counts_strangers_behind_our_own_proxy_by_the_address_that_it_names(db: None, settings: Settings) -> None:
    """Else one of them could use up what all of them may ask. What a stranger writes itself is not believed."""
    settings.HASHSHARE_RATE_LIMIT = "1/hour"

    def asked(connection: str, forwarded: str) -> int:
        named = {"X-Forwarded-For": forwarded}
        return CLIENT.get("/.well-known/hashshare", headers=named, REMOTE_ADDR=connection).status_code

    assert asked("127.0.0.1", "192.0.2.1") == 200
    assert asked("127.0.0.1", "198.51.100.7, 192.0.2.1") == 429
    assert asked("127.0.0.1", "192.0.2.2") == 200
    assert asked("203.0.113.5", "192.0.2.3") == 200
    assert asked("203.0.113.5", "192.0.2.4") == 429
    assert asked("127.0.0.1", "nonsense") == 200
    assert asked("127.0.0.1", "other nonsense") == 429


def test_it_can_be_switched_off(cobalt: Party, settings: Settings) -> None:
    settings.HASHSHARE_RATE_LIMIT = ""
    assert all(cobalt.get("heads").status_code == 200 for _ in range(3))


@pytest.mark.parametrize("text", ["x", "10", "10/year", "/min", "x/min"])
def test_it_rejects_a_rate_that_makes_no_sense(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rate(text)
