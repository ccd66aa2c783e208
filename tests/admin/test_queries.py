"""Every page asks the database a few things, and no more of a larger hub.

The pages are those of the navigation and the registered tables, with whatever filters, dates, orders and searches they
offer: a new page is here without a word. Timings are the business of `python -m benchmarks pages-large`.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks import walk
from federation.models import MemberRequest, Peer, RemoteHub, ReportCursor
from hashshare.admin.desks import PAGES
from hashshare.admin.site import site
from hashshare.demonstration.making import make_demonstration
from hashshare.demonstration.sizes import Size
from hashshare.models import (
    Beginning,
    Draft,
    ExpiryWarning,
    GuardedDigest,
    HashList,
    HostedKey,
    Invitation,
    Organisation,
    Person,
    Publisher,
    Restoration,
)
from hashshare.services.deeds import note_deed
from hashshare.services.sealing import seal_logs
from tests.admin.cast import PASSWORD
from tests.federation.builders import accepted, agreed
from tests.federation.builders import hub as hub_at
from tests.federation.builders_witness import witnessed

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MOST: Final = 14
SMALL: Final = Size(hotlines=2, members=6, partners=2, lists=2, releases=64, subscribers=3, weeks=3, entries=100)
TWICE: Final = Size(hotlines=4, members=12, partners=4, lists=4, releases=128, subscribers=6, weeks=6, entries=100)
Counts = dict[tuple[str, str], int]


def test_it_asks_no_page_more_than_a_few_queries_and_none_more_of_a_larger_hub() -> None:
    with hub(SMALL):
        small = counts()
    walked = {name for _, name in small}
    assert {page.name for page in PAGES} - walk.NO_PAGE <= walked, "every page"
    assert {f"{model._meta.model_name} row" for model in site._registry} <= walked, "every table"
    with hub(TWICE):
        twice = counts()
    assert not {page: number for page, number in twice.items() if number > MOST}
    assert len(small.keys() & twice.keys()) > 0.9 * len(small)
    grown = {page: (small[page], twice[page]) for page in small.keys() & twice.keys() if twice[page] > small[page]}
    assert not grown, "with twice the rows"


@contextmanager
def hub(size: Size) -> Iterator[None]:
    """Gone afterwards: only an empty hub can be filled."""
    with transaction.atomic():
        make_demonstration(size=size, password=PASSWORD, now=timezone.now(), told=lambda _: None)
        _rows_that_a_demonstration_lacks(size)
        yield
        transaction.set_rollback(True)


def _rows_that_a_demonstration_lacks(size: Size) -> None:
    now, list_ = timezone.now(), HashList.objects.filter(publisher__organisation__slug="aurora").first()
    operator, analyst = (Person.objects.filter(role=role).earliest("email") for role in ("operator", "analyst"))
    assert list_ is not None
    aurora = list_.publisher.organisation
    for number in range(size.hotlines):
        peer = accepted(hub_at(f"north-{number}.example"))
        for list_number in range(size.lists):
            agreed(peer, "in", "corona.example", f"list-{list_number}")
        for list_number in range(size.lists):
            witnessed(peer, f"corona-{list_number}.example")
        _told_by(Peer.objects.get(name=peer.name))
    GuardedDigest.objects.create(algorithm="md5", digest=secrets.token_hex(16), note="empty page")
    Restoration.objects.create(backup="0" * 32, made_at=now, recovered_at=now, jump=1)
    for person in (operator, analyst):
        for _ in range(size.lists):
            note_deed(person=person, what="Suspend", about=aurora, reason="court order 17", now=now)
    for publisher in Publisher.objects.all():
        Beginning.objects.create(
            publisher=publisher, before="0" * 64, allowed_by="ada@north.example", reason="lost", ends_at=now
        )
        ExpiryWarning.objects.create(
            publisher=publisher, role="root", version=1, step="half", subject="root", expires_at=now, recipients=1,
            audience=ExpiryWarning.Audience.ORGANISATION,
        )  # fmt: skip
    HostedKey.objects.bulk_create(
        HostedKey(list=row, number=1, keyid=secrets.token_hex(32), public_key=secrets.token_bytes(32))
        for row in HashList.objects.all()
    )
    Draft.objects.bulk_create(
        Draft(
            list=row, kind="changes", file_name=f"{number}.csv", digest="0" * 64, length=9, state="checked",
            errors_digest="0" * 64, uploaded_by=analyst, findings=None, header=["sha256"],
        )
        for row in HashList.objects.all() for number in range(3)
    )  # fmt: skip
    Invitation.objects.bulk_create(
        Invitation(
            kind="person", role="observer", organisation=row, code_hash=secrets.token_hex(32),
            expires_at=now + timedelta(days=3),
        )
        for row in Organisation.objects.all()
    )  # fmt: skip
    seal_logs(now=now)


def _told_by(peer: Peer) -> None:
    """What a peer says of its members and asks for them, about every list."""
    assert peer.organisation is not None
    for row in HashList.objects.all():
        RemoteHub.objects.create(peer=peer, list=row, mode="counts")
        ReportCursor.objects.create(peer=peer, list=row)
        MemberRequest.objects.create(
            hub=peer.organisation, list=row, origin=uuid.uuid4(), slug="ember", name="Ember", country="SE",
            kind="member", terms_digest=row.terms_digest, requested_at=timezone.now(),
        )  # fmt: skip


def people() -> list[Person]:
    return [Person.objects.filter(role=role).earliest("email") for role in Person.Role.values]


def counts() -> Counts:
    """The most queries of each page of each role, by what is asked of it."""
    found: Counts = {}
    for person in people():
        client = walk.browser(person)

        def ask(at: walk.Address, client: Client = client, role: str = person.role) -> str:
            with CaptureQueriesContext(connection) as queries:
                answer = client.get(at.path)
            assert answer.status_code in {200, 302, 404}, (role, at.path)
            found[role, at.name] = max(found.get((role, at.name), 0), walk.number_of(queries))
            return walk.text_of(answer)

        walk.walk(person, ask)
    return found
