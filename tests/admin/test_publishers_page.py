"""*Publishers*: how far the hub and each root fit together, by as many queries for thirty as for one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hashshare.models import Metadata, Publisher
from tests.admin.addresses import changelist
from tests.admin.cast import browser
from tests.admin.conftest import Hub
from tests.builders import publisher

pytestmark = pytest.mark.django_db


def shown(hub: Hub) -> tuple[int, str]:
    client = browser(hub.operator)
    client.get(changelist(Publisher))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = client.get(changelist(Publisher))
    return len(asked), answer.content.decode()


def test_it_asks_as_much_for_many_as_for_one(hub: Hub) -> None:
    publisher("Cinder", domain="cinder.example")
    founded = Publisher.objects.get(domain="cinder.example")
    first, page = shown(hub)
    assert page.count(">served<") == 1
    root = Metadata.objects.get(publisher=founded, role="root")
    for number in range(30):
        row = Publisher.objects.create(
            organisation=founded.organisation,
            domain=f"l{number}.cinder.example",
            root_fingerprint=founded.root_fingerprint,
        )
        Metadata.objects.create(
            publisher=row, role="root", version=1, body=root.body, sha256=root.sha256, expires_at=root.expires_at
        )
    many, page = shown(hub)
    assert page.count(">served<") == 31
    assert many == first
