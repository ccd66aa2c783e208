"""At a list's home: its publisher's choice for each hub, what hubs relay of their members, and what it decides."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import caches

from federation.documents import Decisions, TakenRequest
from federation.models import Agreement, HubTerms, MemberRequest, Peer
from federation.selectors.relaying import Untold
from federation.services import onward
from federation.services.onward import decide_member_request, request_standing, set_hub_terms, terms_standing
from hashshare.models import Subscription
from hashshare.services.access_keys import create_access_key
from hashshare.services.subscriptions import decide_subscription
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution
from tests import builders as b
from tests.api.parties import CLIENT, Party, refused, replay, with_authorization
from tests.federation.builders import Hub, accepted, agreed, north, south
from tests.federation.builders import hub as another

pytestmark = pytest.mark.django_db

DOMAIN, SLUG = "aurora.example", "images"
A_LIST = f"lists/{DOMAIN}/{SLUG}"
SOUTH = "south.example"


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    caches["limits"].clear()


@pytest.fixture
def images() -> b.Feed:
    """At home here, closed to the United States."""
    feed = b.feed(b.publisher(), redistribution={"policy": "federation", "not_in": ["US"]})
    policy = Redistribution("federation", not_in=("US",))
    feed.publish(feed.first([b.entry()], redistribution=policy))
    return feed


@pytest.fixture
def hub(images: b.Feed) -> Hub:
    """South, granted the images."""
    made = south()
    agreed(made, "out")
    b.subscribed(b.Party(made.organisation, made.key), images)
    return made


def calls(made: Hub) -> Party:
    return Party(made.organisation, made.key)


def hotline(feed: b.Feed) -> Party:
    return Party(feed.publisher.party.organisation, feed.publisher.party.key)


def a_request(images: b.Feed, name: str = "Cobalt", **changes: Any) -> dict[str, Any]:
    organisation = {"slug": name.lower(), "name": name, "country": "PT", "sector": "hosting", "kind": "member"}
    organisation |= {field: changes.pop(field) for field in list(changes) if field in organisation}
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "list": f"{DOMAIN}/{SLUG}",
        "organisation": organisation,
        "terms_digest": images.row.terms_digest,
        "requested_at": "2027-01-02T03:04:05Z",
        "state": "requested",
    } | changes


def relayed(made: Hub, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    answer = calls(made).signed("POST", "peers/requests", json={"requests": list(requests)})
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["requests"]
    return found


def decisions(made: Hub, since: int = 0) -> dict[str, Any]:
    answer = calls(made).get(f"peers/decisions?since={since}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def decide(images: b.Feed, decision: str, organisation: str = "cobalt", **parts: Any) -> Any:
    path = f"{A_LIST}/peers/{SOUTH}/requests/{organisation}/decision"
    return hotline(images).signed("POST", path, json={"decision": decision} | parts)


def choose(images: b.Feed, members: str, evidence: str = "") -> Any:
    body = {"members": members, "evidence": evidence}
    return hotline(images).signed("PUT", f"{A_LIST}/peers/{SOUTH}/terms", json=body)


def seen_by_hotline(images: b.Feed) -> dict[str, Any]:
    (only,) = hotline(images).get(f"{A_LIST}/peers").json()["peers"]
    found: dict[str, Any] = only
    return found


def test_a_hotline_reads_hubs_and_their_members_requests_page_by_page(images: b.Feed, hub: Hub) -> None:
    names = ["Cobalt", "Ember", "Garnet"]
    for name in names:
        relayed(hub, a_request(images, name))
    east = accepted(another("east.example"))
    agreed(east, "out")
    b.subscribed(b.Party(east.organisation, east.key), images)

    def pages(limit: int) -> list[list[tuple[str, list[str]]]]:
        found, after = list[list[tuple[str, list[str]]]](), ""
        while after or not found:
            page = hotline(images).get(f"{A_LIST}/peers?limit={limit}&after={after}").json()
            found.append([(it["hub"], [one["name"] for one in it["requests"]]) for it in page["peers"]])
            assert {(it["hub"], it["waiting"]) for it in page["peers"]} <= {("east.example", 0), (SOUTH, 3)}
            after = page["next"]
            assert len(found) < 10
        return found

    whole = [("east.example", []), (SOUTH, names[::-1])]
    assert pages(200) == pages(5) == [whole]
    assert pages(1) == [[whole[0]], [(SOUTH, [])], *([(SOUTH, [name])] for name in names[::-1])]
    assert pages(2) == [[whole[0], (SOUTH, [])], [(SOUTH, ["Garnet", "Ember"])], [(SOUTH, ["Cobalt"])]]
    assert pages(4) == [[whole[0], (SOUTH, ["Garnet", "Ember"])], [(SOUTH, ["Cobalt"])]]
    for wrong in ("limit=0", "limit=201", "after=.", f"after=south-example/{uuid.uuid4()}", "after=%00"):
        refused(hotline(images).get(f"{A_LIST}/peers?{wrong}"), 400, "invalid-request")


# --- From the request to the decision ----------------------------------------------------------------------------


def test_a_member_of_another_hub_is_asked_for_granted_and_revoked(images: b.Feed, hub: Hub) -> None:
    (taken,) = relayed(hub, a_request(images))
    assert taken == {"id": a_request(images)["id"], "state": "requested", "refused": ""}

    shown = seen_by_hotline(images)
    assert (shown["hub"], shown["state"], shown["members"], shown["crosses"]) == (SOUTH, "active", "each", "")
    (request,) = shown["requests"]
    wanted = {"organisation": "cobalt", "name": "Cobalt", "kind": "member", "country": "PT", "sector": "hosting"}
    assert wanted.items() <= request.items()
    assert (request["state"], request["requested_at"]) == ("requested", "2027-01-02T03:04:05Z")

    until = (b.now() + timedelta(days=30)).date()
    granted = decide(images, "grant", until=until.isoformat(), reason="As agreed.")
    assert (granted.status_code, granted.json()["state"]) == (200, "active")
    told = decisions(hub)
    (decision,) = told["decisions"]
    assert (decision["state"], decision["reason"], decision["number"]) == ("active", "As agreed.", 1)
    assert (decision["id"], decision["ends_at"][:10]) == (taken["id"], until.isoformat())

    assert decide(images, "revoke", reason="Not any more.").json()["state"] == "revoked"
    told = decisions(hub, since=1)
    assert [(it["number"], it["state"]) for it in told["decisions"]] == [(2, "revoked")]
    assert told["newest"] == 2
    assert decisions(hub, since=2)["decisions"] == []


def test_telling_it_again_changes_nothing(images: b.Feed, hub: Hub) -> None:
    first = relayed(hub, a_request(images), a_request(images))
    assert first == relayed(hub, a_request(images)) * 2
    decide(images, "deny", reason="Ask in spring.")
    (again,) = relayed(hub, a_request(images))
    assert again["state"] == "denied"
    assert MemberRequest.objects.count() == 1


def test_a_member_that_was_denied_may_ask_anew(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    decide(images, "deny")
    (taken,) = relayed(hub, a_request(images, id=str(uuid.uuid4())))
    assert taken["state"] == "requested"
    (open_twice,) = relayed(hub, a_request(images, id=str(uuid.uuid4())))
    assert "asked for aurora.example/images before" in open_twice["refused"]


def test_a_replayed_relay_is_refused(images: b.Feed, hub: Hub) -> None:
    party = calls(hub)
    sent = party.prepare("POST", "peers/requests", json={"requests": [a_request(images)]})
    assert replay(party.client, sent).status_code == 200
    refused(replay(party.client, sent), 401, "replayed-request")


def test_a_decision_is_taken_once(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    assert decide(images, "deny").status_code == 200
    refused(decide(images, "deny"), 404, "not-found")
    refused(decide(images, "grant"), 404, "not-found")
    relayed(hub, a_request(images, "Cerise"))
    refused(decide(images, "revoke", "cerise"), 409, "conflict")
    assert decide(images, "grant", "cerise").status_code == 200
    refused(decide(images, "deny", "cerise"), 409, "conflict")
    assert [it["number"] for it in decisions(hub)["decisions"]] == [1, 2]


def test_a_form_that_is_out_of_date_changes_nothing(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    seen = request_standing(MemberRequest.objects.get())
    decide(images, "grant")
    names: dict[str, Any] = {"caller": images.publisher.caller, "domain": DOMAIN, "slug": SLUG, "hub": SOUTH}
    with pytest.raises(errors.Conflict, match="Decided meanwhile"):
        decide_member_request(organisation="cobalt", decision="revoke", seen=seen, now=b.now(), **names)
    choice = terms_standing(Subscription.objects.get(organisation=hub.organisation))
    choose(images, "hub")
    with pytest.raises(errors.Conflict, match="changed meanwhile"):
        set_hub_terms(members="each", evidence="", seen=choice, now=b.now(), **names)


def test_a_grant_has_no_end_in_the_past(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    refused(decide(images, "grant", until=date(2020, 1, 1).isoformat()), 400, "invalid-request")


def test_a_hub_s_word_that_a_member_is_suspended_or_gone_is_shown(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    relayed(hub, a_request(images, state="suspended"))
    assert seen_by_hotline(images)["requests"][0]["suspended"]
    relayed(hub, a_request(images, state="requested"))
    assert not seen_by_hotline(images)["requests"][0]["suspended"]
    (gone,) = relayed(hub, a_request(images, state="closed"))
    assert gone["state"] == seen_by_hotline(images)["requests"][0]["state"] == "closed"
    refused(decide(images, "grant"), 404, "not-found")


def test_both_hubs_speak_the_same_language(images: b.Feed, hub: Hub) -> None:
    """What one side writes, the other side's strict reading takes; see test_relaying for what it makes of it."""
    asked = a_request(images)
    said = Untold(
        **{name: asked[name] for name in ("id", "list", "terms_digest", "state")},
        **asked["organisation"],
        requested_at=b.now(),
    ).to_json()
    answer = calls(hub).signed("POST", "peers/requests", json={"requests": [said]}).json()
    (taken,) = TakenRequest.parse_all(answer)
    assert (str(taken.id), taken.state) == (asked["id"], "requested")
    decide(images, "grant", until="2100-01-01", reason="Ångström, “said so”.")
    told = Decisions.parse(decisions(hub))
    assert [(str(it.id), it.state, it.reason) for it in told.decisions] == [
        (asked["id"], "active", "Ångström, “said so”.")
    ]
    row = MemberRequest.objects.get()
    assert (told.decisions[0].decided_at, told.decisions[0].ends_at) == (row.decided_at, row.ends_at)
    assert [(it.list, it.given, it.members) for it in told.terms] == [("aurora.example/images", True, "each")]


# --- What is not taken -------------------------------------------------------------------------------------------


def test_each_request_is_judged_by_itself(images: b.Feed, hub: Hub) -> None:
    said = [
        (a_request(images, "Ash", country="US"), "is in US, which the publisher's policy closes"),
        (a_request(images, "Birch", country="ZZ"), "does not say in which country"),
        (a_request(images, "Cedar", kind="partner"), "A partner receives no lists"),
        (a_request(images, "Damson", terms_digest="0" * 64), "terms are not those"),
        (a_request(images, "Elm", list="aurora.example/other"), "does not go to this hub"),
        (a_request(images, "Fir"), ""),
    ]
    answers = relayed(hub, *(request for request, _ in said))
    for answer, (_, reason) in zip(answers, said, strict=True):
        assert reason in answer["refused"]
        assert (answer["state"] == "requested") == (not reason)
    assert [row.slug for row in MemberRequest.objects.all()] == ["fir"]


def test_a_hub_cannot_speak_of_another_s_requests(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    other = north()
    agreed(other, "out")
    b.subscribed(b.Party(other.organisation, other.key), images)
    (taken,) = relayed(other, a_request(images, state="closed"))
    assert taken["state"] == "closed"  # of its own, which never was
    assert MemberRequest.objects.get().state == "requested"
    decide(images, "grant")
    assert decisions(other)["decisions"] == []


def test_a_member_in_a_country_that_was_closed_since_is_not_granted(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images, country="SE"))
    images.publish(images.next([b.upsert(b.entry())], redistribution=Redistribution("federation", not_in=("SE",))))
    problem = refused(decide(images, "grant"), 403, "not-redistributed")
    assert "is in SE" in problem["detail"]


def test_nothing_is_granted_beyond_a_hub_that_has_nothing_itself(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    revoke_the_hub(images)
    problem = refused(decide(images, "grant"), 409, "conflict")
    assert problem["next_step"] == "Grant the hub its own subscription first."


def test_a_name_that_could_be_taken_for_another_keeps_no_other_request_out(images: b.Feed, hub: Hub) -> None:
    odd = {"slug": "ember", "name": "Ember\u202e", "country": "PT", "sector": "", "kind": "member"}
    told = relayed(hub, a_request(images, "Ember", organisation=odd), a_request(images))
    assert [it["state"] for it in told] == ["", "requested"]
    assert "has a character that is not seen, or changes how others are (U+202E)" in told[0]["refused"]


def test_terms_that_were_accepted_become_no_others(images: b.Feed, hub: Hub) -> None:
    first = a_request(images)
    relayed(hub, first)
    for state in ("requested", "suspended"):
        (taken,) = relayed(hub, a_request(images, terms_digest="0" * 64, state=state))
        assert (taken["state"], "Other terms were accepted" in taken["refused"]) == ("", True)
    row = MemberRequest.objects.get()
    assert (row.terms_digest, row.suspended) == (first["terms_digest"], False)
    decide(images, "grant")
    (taken,) = relayed(hub, a_request(images, terms_digest="0" * 64))
    assert taken["state"] == ""

    images.row.terms_digest = "1" * 64
    images.row.save(update_fields=["terms_digest"])
    # What the member accepted before stays told, and what it accepts now is taken.
    for digest in (first["terms_digest"], "1" * 64):
        (taken,) = relayed(hub, a_request(images, terms_digest=digest))
        assert (taken["state"], taken["refused"]) == ("active", "")
        assert MemberRequest.objects.get().terms_digest == digest
    (taken,) = relayed(hub, first)
    assert "Other terms were accepted" in taken["refused"]
    assert MemberRequest.objects.get().terms_digest == "1" * 64


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requests": []},
        {"requests": [{}]},
        {"requests": [{"id": "x"}]},
        {"requests": "all"},
    ],
)
def test_what_is_no_list_of_requests_is_refused(hub: Hub, body: dict[str, Any]) -> None:
    refused(calls(hub).signed("POST", "peers/requests", json=body), 400, "invalid-request")


def test_no_more_than_a_hundred_are_taken_at_once(images: b.Feed, hub: Hub) -> None:
    many = [a_request(images, f"M{number}") for number in range(101)]
    refused(calls(hub).signed("POST", "peers/requests", json={"requests": many}), 400, "invalid-request")
    assert MemberRequest.objects.count() == 0


# --- The choice for a hub ----------------------------------------------------------------------------------------


def revoke_the_hub(images: b.Feed) -> None:
    decide_subscription(
        caller=images.publisher.caller,
        domain=DOMAIN,
        slug=SLUG,
        organisation="south-example",
        decision="revoke",
        reason="It leaked.",
        now=b.now(),
    )


def terms_told(made: Hub) -> dict[str, Any]:
    (only,) = decisions(made)["terms"]
    found: dict[str, Any] = only
    return found


def test_without_a_choice_the_publisher_is_asked_for_each(images: b.Feed, hub: Hub) -> None:
    expected = {"list": "aurora.example/images", "given": True, "why": "", "members": "each", "evidence": ""}
    assert terms_told(hub) == expected


def test_a_hub_that_decides_itself_is_told_so_and_asks_no_more(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    assert choose(images, "hub", "counts").json()["members"] == "hub"
    told = terms_told(hub)
    assert (told["members"], told["evidence"]) == ("hub", "counts")
    (taken,) = relayed(hub, a_request(images, "Cerise"))
    assert taken["refused"] == "The publisher leaves that to your hub."
    assert seen_by_hotline(images)["requests"][0]["state"] == "left"
    refused(decide(images, "grant"), 404, "not-found")


def test_taken_back_the_open_requests_are_the_publisher_s_again(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    choose(images, "hub")
    choose(images, "each")
    (taken,) = relayed(hub, a_request(images))
    assert taken["state"] == "requested"
    assert decide(images, "grant").status_code == 200


def test_a_hub_whose_subscription_was_revoked_is_told_why(images: b.Feed, hub: Hub) -> None:
    revoke_the_hub(images)
    told = terms_told(hub)
    assert (told["given"], told["why"]) == (False, "The hub's subscription is revoked. It leaked.")
    (taken,) = relayed(hub, a_request(images))
    assert "does not go to this hub" in taken["refused"]


def test_a_hub_is_told_when_the_policy_or_the_agreement_is_against_it(images: b.Feed, hub: Hub) -> None:
    Agreement.objects.update(ended_at=b.now())
    assert terms_told(hub)["why"] == "The hubs' agreement about the list has ended."
    Agreement.objects.update(ended_at=None)
    images.publish(images.next([b.upsert(b.entry())], redistribution=Redistribution()))
    told = terms_told(hub)
    assert (told["given"], told["why"]) == (False, "The publisher lets no other hub have the list.")


def test_a_choice_for_a_hub_that_did_not_ask_is_not_found(images: b.Feed) -> None:
    south()
    refused(choose(images, "hub"), 404, "not-found")
    refused(decide(images, "grant"), 404, "not-found")
    assert not HubTerms.objects.exists()


def test_a_hub_that_may_not_have_the_list_cannot_ask_for_it(images: b.Feed) -> None:
    made = south()
    path = f"{A_LIST}/subscriptions"
    answer = calls(made).signed("POST", path, json={"terms_digest": images.row.terms_digest})
    assert "no agreement" in refused(answer, 403, "not-redistributed")["detail"]


def test_a_second_hub_decides_nothing_on_what_is_at_home_elsewhere(images: b.Feed, hub: Hub) -> None:
    """A hub that has the list from a copy here asks for its members at the list's home, not here."""
    origin = north()
    images.publisher.party.organisation.publishers.update(mirrored_from=origin.organisation)
    (taken,) = relayed(hub, a_request(images))
    assert taken["refused"]


# --- Who may call it ---------------------------------------------------------------------------------------------


def test_only_the_list_s_own_hotline_sees_and_decides(images: b.Feed, hub: Hub) -> None:
    relayed(hub, a_request(images))
    borealis = b.publisher("Borealis", "borealis.example").party
    member = b.member()
    decision = f"{A_LIST}/peers/{SOUTH}/requests/cobalt/decision"
    for other, slug in ((borealis, "not-entitled"), (member, "not-allowed"), (calls(hub), "not-allowed")):
        party = Party(other.organisation, other.key)
        refused(party.get(f"{A_LIST}/peers"), 403, slug)
        refused(party.signed("PUT", f"{A_LIST}/peers/{SOUTH}/terms", json={"members": "hub"}), 403, slug)
        refused(party.signed("POST", decision, json={"decision": "grant"}), 403, slug)
    assert MemberRequest.objects.get().state == "requested"


def test_only_active_peers_relay_and_are_told(images: b.Feed, hub: Hub) -> None:
    body = {"requests": [a_request(images)]}
    refused(hotline(images).signed("POST", "peers/requests", json=body), 403, "not-allowed")
    refused(hotline(images).get("peers/decisions"), 403, "not-allowed")
    stranger = b.party("hub", "East")
    Peer.objects.update(state="suspended")
    for made in (Party(stranger.organisation, stranger.key), calls(hub)):
        refused(made.signed("POST", "peers/requests", json=body), 403, "not-a-peer")
        refused(made.get("peers/decisions"), 403, "not-a-peer")
    assert MemberRequest.objects.count() == 0


def test_a_hub_cannot_fill_the_table_by_asking_and_closing(
    images: b.Feed, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onward, "MOST_A_DAY", 2)
    for name in ("Cobalt", "Cerise"):
        relayed(hub, a_request(images, name))
        relayed(hub, a_request(images, name, state="closed"))
    (refusal,) = relayed(hub, a_request(images, "Cyan"))
    assert "within a day" in refusal["refused"]
    assert MemberRequest.objects.count() == 2
    (again,) = relayed(hub, a_request(images, "Cobalt", state="closed"))
    assert again["state"] == "closed"


def test_an_access_key_of_a_hub_reads_no_decisions(images: b.Feed, hub: Hub) -> None:
    """Keys for programs of others are no way into what hubs tell one another of members."""
    _, text = create_access_key(caller=hub.caller, name="curl", days=9, now=b.now())
    for path in ("peers/decisions", "peers/offers"):
        refused(with_authorization(CLIENT, "GET", path, f"Bearer {text}"), 403, "not-allowed")


def test_changes_take_a_signature(images: b.Feed, hub: Hub) -> None:
    bearer = f"Bearer {hotline(images).token()}"
    for method, path in (
        ("PUT", f"{A_LIST}/peers/{SOUTH}/terms"),
        ("POST", f"{A_LIST}/peers/{SOUTH}/requests/c/decision"),
    ):
        refused(with_authorization(CLIENT, method, path, bearer), 403, "not-allowed")
    refused(with_authorization(CLIENT, "POST", "peers/requests", f"Bearer {calls(hub).token()}"), 403, "not-allowed")
