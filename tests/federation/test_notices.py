"""What the overview says of other hubs: each thing that waits for somebody, by name, in few questions."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.walk import number_of
from federation.models import (
    Agreement,
    Finding,
    MemberRequest,
    MirroredList,
    MirroredPublisher,
    Peer,
    ReportCursor,
    TakenReport,
)
from hashshare.models import HashList, Publisher
from tests import builders as b
from tests.admin.cast import browser, person
from tests.admin.doors import said
from tests.federation.builders import Hub, agreed, mirrored_hotline, north

pytestmark = pytest.mark.django_db
MOST: int = 14
"""Queries of the overview, as tests/admin/test_queries.py has it."""


def a_list(publisher: Publisher, slug: str) -> HashList:
    return HashList.objects.create(
        publisher=publisher, slug=slug, tuf_id=uuid.uuid4().hex[:16], title=slug, algorithms=["sha256"], columns=[]
    )


@pytest.fixture
def origin() -> Hub:
    return north()


@pytest.fixture
def images(origin: Hub) -> MirroredList:
    publisher = mirrored_hotline(origin).publishers.get()
    mirror = MirroredPublisher.objects.create(publisher=publisher, peer=origin.peer, root="0" * 64)
    return MirroredList.objects.create(list=a_list(publisher, "images"), mirror=mirror)


@pytest.fixture
def operator() -> Client:
    return browser(person("operator"))


def test_it_says_what_of_other_hubs_waits_lags_or_is_refused(
    origin: Hub, images: MirroredList, operator: Client
) -> None:
    def overview() -> str:
        with CaptureQueriesContext(connection) as asked:
            text = said(operator.get("/admin/"))
        assert number_of(asked) <= MOST
        return text

    now = timezone.now()
    problem = {"title": "The peer broke off", "type": "x"}
    assert "corona.example" not in overview()

    MirroredList.objects.update(behind_since=now - timedelta(seconds=90))
    assert "Copies that" not in overview()
    MirroredList.objects.update(behind_since=now - timedelta(seconds=121))
    assert "Copies that are behind what the peer has: corona.example/images." in overview()

    HashList.objects.update(closed_at=now - timedelta(seconds=121))
    text = overview()
    assert "Copies that are closed to members here: corona.example/images." in text
    assert "Copies that are behind" not in text

    MirroredPublisher.objects.update(trouble=problem, failures=1)
    assert "broke off" not in overview()
    MirroredPublisher.objects.update(failures=2)
    assert "failed more than once: corona.example from north.example (The peer broke off)." in overview()

    ReportCursor.objects.create(list=images.list, peer=origin.peer, trouble=problem)
    TakenReport.objects.create(list=images.list, peer=origin.peer, sequence=3, refused=problem)
    agreed(origin, "in", "corona.example", until=now + timedelta(days=29))
    agreed(origin, "out", "corona.example", "images", until=now + timedelta(days=31))
    Finding.objects.create(peer=origin.peer, kind="split_view", subject="a log", detail="", found_at=now, seen_at=now)
    text = overview()
    assert "a peer did not take: corona.example/images to north.example (The peer broke off)." in text
    assert "were refused here: corona.example/images from north.example (The peer broke off)." in text
    assert "Agreements that end within 30 days: corona.example in north.example." in text
    assert "north.example has to explain: two histories of one log, a log." in text

    Agreement.objects.update(until=now + timedelta(days=31))
    assert "within 30 days" not in overview()
    Peer.objects.update(state=Peer.State.SUSPENDED)
    text = overview()
    assert "Copies" not in text and "Reports that" not in text and "Reports of a peer" not in text


def test_a_new_witness_key_is_told_and_that_such_a_peer_is_silent(origin: Hub, operator: Client) -> None:
    def peer(**facts: object) -> None:
        Peer.objects.update(reached_at=timezone.now(), differs={"fingerprint": "0" * 64, "keys": ["witness_key"]})
        Peer.objects.update(**facts)

    peer()
    assert "Peer with a new witness key, to be compared by voice: north.example" in said(operator.get("/admin/"))
    peer(reached_at=timezone.now() - timedelta(hours=2), accepted_at=timezone.now() - timedelta(hours=3))
    assert "Peer did not answer for an hour: north.example" in said(operator.get("/admin/"))


def test_requests_of_members_of_other_hubs_are_told_to_who_decides(origin: Hub, operator: Client) -> None:
    owner = b.publisher()
    row = a_list(Publisher.objects.get(domain="aurora.example"), "images")
    for name in ("cobalt", "ember", "garnet", "jade"):
        MemberRequest.objects.create(
            hub=origin.organisation, list=row, origin=uuid.uuid4(), slug=name, name=name, country="SE", kind="member",
            terms_digest="0" * 64, requested_at=timezone.now(), suspended=name == "jade",
        )  # fmt: skip
    analyst = browser(person("analyst", owner.party.organisation))
    assert "3 members of other hubs wait for your decision on a request for a list." in said(analyst.get("/admin/"))
    told = "wait for a hotline's decision: " + ", ".join(
        f"{name}@north.example (aurora.example/images)" for name in ("cobalt", "ember", "garnet")
    )
    assert f"{told}." in said(operator.get("/admin/"))
    MemberRequest.objects.update(suspended=False)
    assert f"{told} and more." in said(operator.get("/admin/"))
    MemberRequest.objects.update(state=MemberRequest.State.LEFT)
    for client in (analyst, operator):
        assert "of other hubs wait" not in said(client.get("/admin/"))
