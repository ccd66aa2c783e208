"""A hub asks a peer for a list, as a member would: it sees the terms, and what is against it, before it asks."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from federation.services.asking_for_lists import ask_for_list, asked_there, look_at_list
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
        self.lists = 12
        self.status: Any = {}

    def get_json(self, path: str, *, params: Any = None) -> Any:
        if path == "lists":
            return {"lists": [{"name": f"aurora.example/list-{number}"} for number in range(self.lists)]}
        if path == "status":
            return self.status
        if path != f"lists/{IMAGES}":
            raise errors.NotEntitled
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


def test_it_says_what_lists_there_are(origin: Hub) -> None:
    home = Home({"policy": "federation"})
    for number, says in ((12, r"shows 12 lists: aurora\.example/list-0, .* and 2 more\. "), (0, "It shows none")):
        home.lists = number
        with pytest.raises(errors.NotEntitled, match=r"shows this hub no list 'aurora\.example/video'") as refused:
            look_at_list(peer=origin.peer, name="aurora.example/video", now=b.now(), session=home)  # type: ignore[arg-type]
        assert re.search(says, refused.value.next_step)
        assert "manage.py peer catalogue north.example" in refused.value.next_step


def test_it_sees_what_waits_there(origin: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home({"policy": "federation"})
    monkeypatch.setattr("federation.services.asking_for_lists.session_with", lambda _: home)
    row = {"list": IMAGES, "state": "requested", "requested_at": "2026-11-22T12:00:00.000001Z"}
    home.status = {"subscriptions": [row, row | {"state": "active"}]}
    [waits] = asked_there(origin.peer)
    assert (waits.at, waits.list, waits.who, f"{waits.since:%Y-%m-%d}") == ("there", IMAGES, "", "2026-11-22")
    none: list[Any] = [[], {"subscriptions": {}}, {"subscriptions": [row | {"requested_at": "2026"}]}]
    for wrong in none:
        home.status = wrong
        with pytest.raises(errors.NetworkError, match="does not answer like"):
            asked_there(origin.peer)


def test_it_does_not_ask_without_an_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home({"policy": "federation"})
    with pytest.raises(errors.NotRedistributed, match="no agreement"):
        asks(north(), home, monkeypatch)
    assert home.asked == []
