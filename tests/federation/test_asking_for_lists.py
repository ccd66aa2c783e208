"""A hub asks a peer for a list, as a member would: it sees the terms, and what is against it, before it asks."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from federation.services.asking_for_lists import ask_for_list, look_at_list
from hashshare.wire import errors
from tests import builders as b
from tests.federation.builders import Hub, agreed, north

pytestmark = pytest.mark.django_db

IMAGES = "aurora.example/images"
TERMS = "For detection only."
DIGEST = hashlib.sha256(TERMS.encode()).hexdigest()


class Home:
    """North's answers about the list."""

    def __init__(self, policy: dict[str, Any]) -> None:
        self.policy = policy
        self.asked: list[Any] = []

    def get_json(self, path: str) -> Any:
        assert path == f"lists/{IMAGES}"
        return {"terms": TERMS, "terms_digest": DIGEST, "redistribution": self.policy, "subscription": None}

    def send(self, method: str, path: str, *, json: Any) -> Any:
        self.asked.append((method, path, json))
        return json


@pytest.fixture
def origin() -> Hub:
    made = north()
    agreed(made, "in")
    return made


def asks(origin: Hub, home: Home, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("hashshare.client.subscribe.decoded", lambda _: {"state": "requested"})
    return ask_for_list(peer=origin.peer, name=IMAGES, terms_digest=DIGEST, now=b.now(), session=home)  # type: ignore[arg-type]


def test_it_shows_the_terms_and_asks_once_they_are_accepted(origin: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home({"policy": "federation"})
    seen = look_at_list(peer=origin.peer, name=IMAGES, now=b.now(), session=home)  # type: ignore[arg-type]
    assert (seen.terms, seen.terms_digest, seen.state, seen.why_not) == (TERMS, DIGEST, "", "")
    assert home.asked == []
    assert asks(origin, home, monkeypatch).state == "requested"
    assert home.asked == [("POST", f"lists/{IMAGES}/subscriptions", {"terms_digest": DIGEST})]


def test_it_does_not_ask_for_what_may_not_come(origin: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    for policy, reason in (
        ({"policy": "none"}, "lets no other hub have"),
        ({"policy": "named", "peers": ["east.example"]}, "does not name"),
        ({"policy": "federation", "not_in": ["US"]}, "does not say in which country"),
        ({"policy": "federation", "unknown": ["later"]}, "does not know"),
    ):
        home = Home(policy)
        with pytest.raises(errors.NotRedistributed, match=reason):
            asks(origin, home, monkeypatch)
        assert home.asked == []


def test_it_does_not_ask_without_an_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home({"policy": "federation"})
    with pytest.raises(errors.NotRedistributed, match="no agreement"):
        asks(north(), home, monkeypatch)
    assert home.asked == []
