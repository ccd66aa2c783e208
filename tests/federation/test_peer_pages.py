"""Peers on the operators' pages: what is shown to compare, what a deed does and puts on record, what stands out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from federation.models import Agreement, MirroredList, MirroredPublisher, Peer
from federation.selectors.descriptors import own_descriptor
from federation.services.agreements import agreed_so_far
from hashshare.models import Deed, HashList, Leaf, Person
from hashshare.wire.documents import write_object
from hashshare.wire.fingerprints import spoken_lines
from tests import builders as b
from tests.admin.addresses import changelist, deed, page, table_deed
from tests.admin.cast import browser, person
from tests.admin.doors import said
from tests.federation.builders import Hub, accepted, agreed, hub, introduced, north, south
from tests.federation.conftest import Answering

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Person:
    return person("operator")


@pytest.fixture
def client(operator: Person) -> Client:
    return browser(operator)


def noted() -> list[tuple[str, str, str]]:
    return [(each.what, each.about, each.reason) for each in Deed.objects.order_by("pk")]


def overview(client: Client) -> str:
    return said(client.get("/admin/"))


def test_it_introduces_compares_and_accepts(client: Client, north_answers: tuple[Hub, Answering]) -> None:
    made, process = north_answers
    client.post(table_deed(Peer, "introduce"), {"url": process.url})
    shown = said(client.get(page(made.peer)))
    for line in spoken_lines(made.descriptor.fingerprint):
        assert " ".join(line.split()) in shown
    assert "to be compared" in shown

    wrong = client.post(deed(made.peer, "accept"), {"fingerprint": south().descriptor.fingerprint})
    assert "not the fingerprint" in said(wrong)
    assert made.peer.state == "introduced"
    heard = "\r\n".join(spoken_lines(made.descriptor.fingerprint))
    done = client.post(deed(made.peer, "accept"), {"fingerprint": heard}, follow=True)

    assert f"{made.name} is a peer of this hub." in said(done)
    assert made.peer.state == "active"
    assert noted() == [("Introduce a hub", made.name, ""), ("Accept", made.name, "")]
    assert Leaf.objects.filter(kind="peer").count() == 1
    assert Leaf.objects.filter(kind="deed").count() == 2


def test_it_shows_this_hub_s_own_fingerprint_to_read_out(client: Client) -> None:
    shown = said(client.get(changelist(Peer)))

    for line in spoken_lines(own_descriptor(now=b.now()).fingerprint):
        assert " ".join(line.split()) in shown


def test_it_tells_why_an_introduction_failed(client: Client) -> None:
    answer = client.post(table_deed(Peer, "introduce"), {"url": "http://127.0.0.1:1"})

    assert "127.0.0.1:1 cannot be reached." in said(answer)
    assert not Peer.objects.exists()


def test_it_agrees_and_ends_an_agreement(client: Client) -> None:
    made = north()
    b.feed(b.publisher())
    seen = {"seen": agreed_so_far(made.peer)}
    terms = {"direction": "out", "publisher": "Aurora.example", "slug": "images", "until": "2099-01-01", **seen}
    refused = client.post(deed(made.peer, "agree"), {**terms, "evidence": "counts"})
    assert "within ten years" in said(refused)

    client.post(deed(made.peer, "agree"), {**terms, "until": "", "evidence": "counts"})

    found = Agreement.objects.get()
    assert (found.publisher, found.slug, found.until, found.evidence) == ("aurora.example", "images", None, "counts")
    assert "aurora.example/images" in said(client.get(page(made.peer)))
    client.post(deed(found, "end"), {"reason": "the contract ended"})
    found.refresh_from_db()
    assert found.ended_at is not None
    assert ("End", str(found), "the contract ended") in noted()
    assert "Nothing is agreed, so nothing crosses" in said(client.get(page(made.peer)))


def test_it_suspends_resumes_and_ends_with_the_reason_on_record(client: Client) -> None:
    made = north()

    for slug, data, state in (
        ("suspend", {"reason": "the key leaked"}, "suspended"),
        ("resume", {}, "active"),
        ("end", {"reason": "it closed"}, "ended"),
    ):
        client.post(deed(made.peer, slug), data)
        assert made.peer.state == state
    assert [each for each in noted() if each[1] == made.name] == [
        ("Suspend", made.name, "the key leaked"),
        ("Resume", made.name, ""),
        ("End", made.name, "it closed"),
    ]


def test_it_suspends_nothing_without_a_reason(client: Client) -> None:
    made = north()

    client.post(deed(made.peer, "suspend"), {"reason": ""})

    assert made.peer.state == "active"


def test_it_keeps_what_a_check_found_although_nothing_good_came_of_it(
    client: Client, north_answers: tuple[Hub, Answering]
) -> None:
    made, process = north_answers
    accepted(made)
    other = hub(made.name, url=made.url)
    process.say(_document(other))

    client.post(deed(made.peer, "check"))

    assert made.peer.differs["fingerprint"] == other.descriptor.fingerprint
    shown = said(client.get(page(made.peer)))
    assert "another hub answers" in shown
    assert " ".join(spoken_lines(other.descriptor.fingerprint)[0].split()) in shown
    assert "Another hub answers at the address of" in overview(client)


def _document(made: Hub) -> bytes:
    return write_object(made.document())


def test_it_names_and_forgets_storage(client: Client) -> None:
    made = north()

    client.post(deed(made.peer, "name-storage"), {"host": "bucket.s3.example"})
    assert made.peer.storage == ["bucket.s3.example"]
    client.post(deed(made.peer, "forget-storage"), {"host": "bucket.s3.example"})
    assert made.peer.storage == []


def test_the_overview_tells_of_peers_that_are_silent_or_wait_to_be_compared(client: Client, operator: Person) -> None:
    quiet, fresh = north(), south()
    Peer.objects.filter(name=quiet.name).update(reached_at=timezone.now() - timedelta(minutes=61))
    Peer.objects.filter(name=fresh.name).update(reached_at=timezone.now())
    introduced(hub("west.example"))

    told = overview(client)

    assert "Peer did not answer for an hour: north.example." in told
    assert "Peer introduced and to be compared by voice: west.example." in told
    assert "south.example" not in told
    for role, organisation in (("analyst", b.publisher().party.organisation), ("engineer", b.member().organisation)):
        assert "north.example" not in overview(browser(person(role, organisation)))


def test_it_shows_how_far_what_is_copied_is_behind(client: Client) -> None:
    made = south()
    row = _mirrored(made)
    MirroredList.objects.create(
        list=row,
        mirror=row.publisher.mirror,
        offered_version=12_345,
        seen_at=timezone.now(),
        allowed=True,
        behind_since=timezone.now() - timedelta(minutes=90),
        trouble={"detail": "The signature does not verify."},
    )

    listed, shown = said(client.get(changelist(Peer))), said(client.get(page(made.peer)))

    assert "1 h 30 min" in listed
    assert "12,345" in shown
    assert "The signature does not verify." in shown
    MirroredList.objects.update(trouble=None)
    MirroredPublisher.objects.update(trouble={"detail": "The timestamp is older than the one before."})
    assert "The timestamp is older than the one before." in said(client.get(page(made.peer)))


def _mirrored(made: Hub) -> Any:
    feed = b.feed(b.publisher())
    MirroredPublisher.objects.create(publisher=feed.row.publisher, peer=made.peer, root="0" * 64)
    return HashList.objects.select_related("publisher__mirror").get(pk=feed.row.pk)


def test_agreements_past_their_date_say_so(client: Client) -> None:
    made = north()
    agreed(made, "in", until=timezone.now() - timedelta(days=1))

    assert "expired" in said(client.get(page(made.peer)))
    assert "expired" in said(client.get(changelist(Agreement)))
