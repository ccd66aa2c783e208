"""`manage.py peer`: the whole way at the hub's machine, what it says, and what it leaves on record."""

from __future__ import annotations

import json
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from federation.documents import HubDescriptor
from federation.models import Agreement, MemberRequest, MirroredPublisher, Peer, Relayed, TakenTerms
from federation.selectors.descriptors import own_descriptor
from federation.selectors.waiting import Waiting
from federation.selectors.witness import own_cosigner
from federation.services.asking_for_lists import Asked
from hashshare.client.answers import WHY
from hashshare.models import Deed, Leaf, Subscription
from hashshare.wire import errors
from hashshare.wire.documents import write_object, write_time
from hashshare.wire.fingerprints import spoken_lines
from tests import builders as b
from tests.federation.builders import Hub, accepted, agreed, hub, introduced, north
from tests.federation.conftest import Answering
from tests.federation.copied import asks, copied_from, scene

pytestmark = pytest.mark.django_db

COMMAND = "federation.management.commands.peer"


def run(*words: str) -> str:
    out = StringIO()
    call_command("peer", *words, stdout=out)
    return out.getvalue()


def run_json(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "--json"))
    return found


def deeds() -> list[tuple[str, str, str]]:
    return [(each.what, each.about, each.reason) for each in Deed.objects.order_by("pk")]


def test_it_goes_from_the_introduction_to_the_end(north_answers: tuple[Hub, Answering]) -> None:
    made, process = north_answers
    b.feed(b.publisher())

    said = run("introduce", process.url)
    assert "Nothing is asked of it or given to it yet" in said
    for line in spoken_lines(made.descriptor.fingerprint):
        assert line in said
    heard = " ".join(spoken_lines(made.descriptor.fingerprint)).split()
    assert "is a peer of this hub" in run("accept", made.name, *heard)
    assert "aurora.example/images crosses to" in run(
        "agree", made.name, "out", "aurora.example/images", "--until", "2027-12-31", "--evidence", "counts"
    )
    assert f"{made.name} is the hub that was accepted." in run("check", made.name)
    for what, state in (("suspend", "suspended"), ("resume", "active"), ("end", "ended")):
        run(what, made.name, "--reason", "agreed by telephone")
        assert made.peer.state == state

    assert deeds() == [
        ("Introduce a peer", made.name, ""),
        ("Accept a peer", made.name, ""),
        ("Agree with a peer", made.name, ""),
        ("Suspend a peer", made.name, "agreed by telephone"),
        ("Resume a peer", made.name, "agreed by telephone"),
        ("End a peer", made.name, "agreed by telephone"),
    ]
    assert Leaf.objects.filter(kind="deed").count() == 6
    assert Leaf.objects.filter(kind="peer").count() == 4
    assert Agreement.objects.get().ended_at is not None


def test_it_shows_the_fingerprint_that_others_compute_of_this_hub() -> None:
    """From what this hub serves to everybody."""
    served = Client().get("/.well-known/hashshare").content

    said = run("fingerprint")

    expected = HubDescriptor.parse(served).fingerprint
    assert all(line in said for line in spoken_lines(expected))
    told = run_json("fingerprint")
    assert told["fingerprint"] == expected == own_descriptor(now=b.now()).fingerprint
    assert told["witness"] == own_cosigner().to_text()
    assert told["witness"] in said


def test_it_lists_and_shows_peers() -> None:
    assert "No other hub is known here" in run("list")
    made = north()
    agreed(made, "in", slug="images")
    trouble = {"detail": "north.example cannot be reached."}
    Peer.objects.update(reached_at=b.now(), trouble=trouble, storage=["bucket.s3.example"])

    listed, shown = run("list"), run("show", made.name)

    assert "north.example  active" in listed
    assert "! north.example: north.example cannot be reached." in listed
    for text in (*spoken_lines(made.descriptor.fingerprint), "bucket.s3.example", "aurora.example/images", "no end"):
        assert text in shown
    assert run_json("list")["peers"][0]["state"] == "active"
    document = run_json("show", made.name)
    assert document["fingerprint"] == made.descriptor.fingerprint
    assert document["agreements"][0]["list"] == "images"


def test_it_shows_why_a_list_is_not_copied_and_tries_again_when_told(north_answers: tuple[Hub, Answering]) -> None:
    made, _ = north_answers
    accepted(made)
    agreed(made, "in")
    row = copied_from(made)
    trouble = {"type": "https://south.example/problems/wrong-digest", "detail": "manifest.json is another file."}
    facts = {"trouble": trouble, "failures": 3, "tried_at": b.now()}
    MirroredPublisher.objects.update(**facts)

    shown = run("show", made.name)
    assert f"! {row.name}: manifest.json is another file. The last good state is served; it is tried again at" in shown
    (told,) = run_json("show", made.name)["copied"]
    assert (told["list"], told["state"], told["trouble"]) == (row.name, "following", trouble)
    assert told["next_at"] > write_time(b.now())

    assert "is tried again now" in run("check", made.name)
    assert run_json("show", made.name)["copied"][0]["next_at"] is None
    MirroredPublisher.objects.update(**facts, state="alarmed")
    assert "until somebody has looked: manage.py peer follow" in run("show", made.name)


def test_it_shows_what_is_asked_for_and_not_decided_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    made, found = scene(members="each")
    asks(b.member("Cobalt"), found)
    feed, kept = b.feed(b.publisher("Borealis", "borealis.example")), {"terms_digest": "", "requested_at": b.now()}
    Subscription.objects.create(list=feed.row, organisation=made.organisation, **kept)
    facts = {"name": "Ember", "country": "SE", "kind": "member", "origin": uuid.uuid4(), **kept}
    MemberRequest.objects.create(hub=made.organisation, list=feed.row, slug="ember", **facts)
    monkeypatch.setattr(f"{COMMAND}.asked_there", lambda _: [Waiting("there", "aurora.example/x", "", "", b.now())])

    rows = run_json("show", made.name)["waiting"]
    assert [(it["at"], it["list"], it["organisation"]) for it in rows] == [
        ("there", "aurora.example/x", None),
        ("there", "aurora.example/images", "cobalt"),
        ("here", feed.row.name, None),
        ("here", feed.row.name, "ember@north.example"),
    ]
    assert "not passed on yet" in run("show", made.name)
    TakenTerms.objects.update(members="hub")
    assert [it["at"] for it in run_json("show", made.name)["waiting"]] == ["there", "here", "here", "here"]
    monkeypatch.setattr(f"{COMMAND}.asked_there", away)
    assert "! what this hub has asked for there is not known: It is away." in run("show", made.name)
    Subscription.objects.filter(list=found).update(state="active")
    subscription = Subscription.objects.get(list=found)
    TakenTerms.objects.update(members="each")
    Relayed.objects.create(subscription=subscription, told="requested", told_at=b.now())
    assert "passed on; has the list until then" in run("show", made.name)


def away(_: Peer) -> Any:
    raise errors.NetworkError("It is away.")


def test_it_tells_of_another_hub_at_the_address_and_keeps_it(north_answers: tuple[Hub, Answering]) -> None:
    made, process = north_answers
    accepted(made)
    other = hub(made.name, url=made.url)
    process.say(write_object(other.document()))

    with pytest.raises(CommandError, match="another peer key and another witness key"):
        run("check", made.name)

    assert made.peer.differs["fingerprint"] == other.descriptor.fingerprint
    assert spoken_lines(other.descriptor.fingerprint)[0] in run("show", made.name)
    run("accept", made.name, other.descriptor.fingerprint)
    assert made.peer.fingerprint == other.descriptor.fingerprint


def test_it_ends_an_agreement_and_names_storage() -> None:
    made = north()
    agreed(made, "in")

    run("end-agreement", made.name, "in", "aurora.example")
    assert run_json("storage", made.name, "bucket.s3.example")["storage"] == ["bucket.s3.example"]
    assert run_json("forget-storage", made.name, "bucket.s3.example")["storage"] == []

    assert Agreement.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "nowhere.example"), "No hub called nowhere.example"),
        (("introduce", "http://south.example"), "plain http://"),
        (("introduce", "http://127.0.0.1:1"), "cannot be reached"),
        (("accept", "north.example", "0" * 64), "Nothing was accepted"),
        (("accept", "north.example", "abc"), "64 hexadecimal digits"),
        (("agree", "north.example", "out", "aurora.example/"), "neither a publisher"),
        (("agree", "north.example", "in", "aurora.example"), "not active"),
        (("agree", "north.example", "in", "aurora.example", "--until", "soon"), "--until is a date"),
        (("suspend", "north.example"), "not active"),
        (("resume", "north.example"), "not suspended"),
        (("end-agreement", "north.example", "in", "aurora.example"), "Nothing is agreed"),
    ],
)
def test_it_says_why_it_refuses_and_leaves_no_deed(words: tuple[str, ...], says: str) -> None:
    introduced(hub())

    with pytest.raises(CommandError, match=says):
        run(*words)

    assert deeds() == []
    assert Peer.objects.get().state == "introduced"


def refusal_by(made: Hub) -> None:
    trouble = {"type": "https://south.example/problems/bad-request-signature", "detail": "It does not verify."}
    Peer.objects.filter(name=made.name).update(trouble=trouble)


def test_it_says_what_it_may_mean_that_a_peer_refuses_this_hub() -> None:
    made = north()
    refusal_by(made)
    assert "! north.example: It does not verify. That hub refuses this one: it may have suspended it" in run("list")


def test_it_names_no_command_of_members_to_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    made = north()
    for error in (errors.BadRequestSignature(), errors.NetworkError("It cannot be reached.", next_step=WHY)):
        monkeypatch.setattr(f"{COMMAND}.look_at_list", raising(error))
        with pytest.raises(CommandError) as refused:
            run("ask", made.name, "aurora.example/images")
        assert "hashshare doctor" not in str(refused.value)
        assert "operator" in str(refused.value)


def raising(error: errors.HashshareError) -> Any:
    def refuse(**_: Any) -> Any:
        raise error

    return refuse


def asked(monkeypatch: pytest.MonkeyPatch, **facts: str) -> None:
    seen = {"terms": "For detection only.", "terms_digest": "ab" * 32, "state": "", "why_not": ""} | facts
    monkeypatch.setattr(f"{COMMAND}.look_at_list", lambda **_: Asked("aurora.example/images", **seen))


def test_it_fails_where_the_list_may_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, why_not="The publisher lets no other hub have the list.")
    with pytest.raises(CommandError, match="lets no other hub"):
        run("ask", north().name, "aurora.example/images")


def test_it_says_how_far_a_list_is_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made = north()
    asked(monkeypatch)
    assert f"--accept-terms {'ab' * 32}" in run("ask", made.name, "aurora.example/images")
    asked(monkeypatch, state="active")
    said = run("ask", made.name, "aurora.example/images")
    assert "They were accepted: active at north.example." in said
    assert "--accept-terms" not in said
