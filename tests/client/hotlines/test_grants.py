"""`requests`, `grant`, `deny`, `revoke`."""

from __future__ import annotations

import pytest

from hashshare.client import grants
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


@pytest.fixture
def south(asked: Desk, north: North) -> Desk:
    """Hub South receives the list, and a member of it asks."""
    cerise = {"organisation": "cerise", "name": "Cerise", "country": "PT", "state": "requested", "suspended": False}
    north.hubs = [
        {
            "hub": "south.example",
            "organisation": "south-example",
            "country": "PT",
            "state": "active",
            "ends_at": None,
            "members": "each",
            "evidence": "",
            "crosses": "",
            "requests": [cerise | {"requested_at": "2026-11-23T12:00:00Z", "ends_at": None}],
        }
    ]
    return asked


def test_it_shows_members_of_other_hubs_beside_its_own(south: Desk) -> None:
    shown = south.run("requests", LIST).stdout
    assert "2 subscriptions, 2 waiting" in shown
    assert "cerise@south.example" in shown
    assert south.json("requests", LIST)["peers"][0]["requests"][0]["organisation"] == "cerise"


def test_it_follows_every_page_about_other_hubs_and_no_pages_without_end(
    south: Desk, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    (hub,) = north.hubs
    (cerise,) = hub["requests"]
    hub["requests"] = [cerise, cerise | {"organisation": "ember"}, cerise | {"organisation": "garnet"}]
    north.hubs.append(hub | {"hub": "east.example", "organisation": "east-example", "requests": [cerise]})
    east, again = south.json("peers", LIST)["peers"]
    assert (east["hub"], again["hub"]) == ("east.example", "south.example")
    assert [it["organisation"] for it in again["requests"]] == ["cerise", "ember", "garnet"]
    shown = south.run("requests", LIST).stdout
    assert "cerise@east.example" in shown and "garnet@south.example" in shown
    north.endless_pages = True
    monkeypatch.setattr(grants, "MOST_PAGES", 5)
    assert "never end" in south.json("peers", LIST, exit_code=5)["error"]["detail"]


def test_it_decides_on_a_member_of_another_hub(south: Desk, north: North) -> None:
    granted = south.run("grant", LIST, "cerise@south.example", "--until", "2999-01-31").stdout
    assert "cerise@south.example receives" in granted
    assert "south.example learns it within a minute or two." in granted
    assert north.hubs[0]["requests"][0]["state"] == "active"
    assert north.subscriptions["cobalt"]["state"] == "requested"
    assert south.json("revoke", LIST, "cerise@south.example")["subscription"]["state"] == "revoked"
    assert south.json("deny", LIST, "ember@south.example", exit_code=2)["error"]["type"] == "not-found"


@pytest.mark.parametrize("who", ["cerise@", "@south.example", "cerise@South Example", "a/b", "cerise@south/../x", ".."])
def test_it_rejects_what_is_no_short_name(south: Desk, who: str) -> None:
    assert south.json("deny", LIST, who, exit_code=2)["error"]["type"] == "invalid-request"


def test_it_shows_hubs_and_leaves_their_members_to_them(south: Desk, north: North) -> None:
    shown = south.run("peers", LIST).stdout
    assert "south.example" in shown
    assert "you, on each" in shown
    done = south.json("peer-terms", LIST, "south.example", "--members", "hub", "--evidence", "counts")
    assert done["terms"] == {"members": "hub", "evidence": "counts"}
    assert "the hub itself" in south.run("peers", LIST).stdout
    assert "You decide on each" in south.run("peer-terms", LIST, "south.example", "--members", "each").stdout
    north.hubs[0]["crosses"] = "The hubs' agreement about the list has ended."
    assert "is served nothing: The hubs' agreement" in south.run("peers", LIST).stdout


def test_it_rejects_terms_that_are_none(south: Desk) -> None:
    for words in (("south.example", "--members", "all"), ("south.example", "--members", "hub", "--evidence", "x")):
        assert south.json("peer-terms", LIST, *words, exit_code=2)["error"]["type"] == "invalid-request"
    assert south.json("peer-terms", LIST, "a/b", "--members", "hub", exit_code=2)["error"]["type"] == "invalid-request"
    gone = south.json("peer-terms", LIST, "east.example", "--members", "hub", exit_code=2)
    assert gone["error"]["type"] == "not-found"


def test_it_says_when_no_hub_has_asked(images: Desk) -> None:
    assert "No other hub has asked" in images.run("peers", LIST).stdout


def test_it_rejects_an_organisation_that_never_asked(asked: Desk) -> None:
    assert asked.json("grant", LIST, "ember", "--until", "2999-01-31", exit_code=2)["error"]["type"] == "not-found"


def test_it_takes_names_as_they_are_shown_and_says_who_there_is(south: Desk, north: North) -> None:
    hub = {"slug": "south-example", "name": "south.example", "kind": "hub", "country": "PT"}
    north.subscriptions["south-example"] = north.subscriptions["cobalt"] | {"organisation": hub}

    assert south.json("grant", LIST, "South.example", "--until", "2999-01-31")["organisation"] == "south-example"
    assert south.json("grant", LIST, "COBALT", "--until", "2999-01-31")["organisation"] == "cobalt"
    member = south.json("grant", LIST, "Cerise@south-example", "--until", "2999-01-31")
    assert member["organisation"] == "cerise@south.example"
    assert "south.example decides itself" in south.run("peer-terms", LIST, "south-example", "--members", "hub").stdout

    for who, these in (("127.0.0.1:1", "cobalt (Cobalt, active)"), ("ember", "south-example (south.example, active)")):
        assert these in south.json("grant", LIST, who, "--until", "2999-01-31", exit_code=2)["error"]["next_step"]
    gone = south.json("revoke", LIST, "ember@south.example", exit_code=2)["error"]
    assert "cerise (Cerise, active)" in gone["next_step"]
    twin = north.subscriptions["cobalt"]["organisation"] | {"slug": "cobalt-2"}
    north.subscriptions["cobalt-2"] = north.subscriptions["cobalt"] | {"organisation": twin}
    refused = south.json("revoke", LIST, "COBALT", exit_code=2)["error"]
    assert (refused["type"], "cobalt-2 (Cobalt" in refused["next_step"]) == ("invalid-request", True)
    assert {row["state"] for row in north.subscriptions.values()} == {"active"}
