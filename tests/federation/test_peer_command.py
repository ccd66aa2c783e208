"""`manage.py peer`: the whole way at the hub's machine, what it says, and what it leaves on record."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from federation.documents import HubDescriptor
from federation.models import Agreement, Peer
from federation.selectors.descriptors import own_descriptor
from hashshare.models import Deed, Leaf
from hashshare.wire.documents import write_object
from hashshare.wire.fingerprints import spoken_lines
from tests import builders as b
from tests.federation.builders import Hub, accepted, agreed, hub, introduced, north
from tests.federation.conftest import Answering

pytestmark = pytest.mark.django_db


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
    assert run_json("fingerprint")["fingerprint"] == expected == own_descriptor(now=b.now()).fingerprint


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
