"""Operators let a publisher begin anew from its page; its own hotline sees that they did."""

from __future__ import annotations

import pytest

from hashshare.models import Beginning, Publisher
from tests.admin.addresses import deed, page
from tests.admin.cast import browser
from tests.admin.conftest import Hub

pytestmark = pytest.mark.django_db

ROOT = "ab" * 32


@pytest.fixture
def aurora(hub: Hub) -> Publisher:
    """With a root, and no door open."""
    Beginning.objects.all().delete()
    row = hub.aurora.of[Publisher]
    assert isinstance(row, Publisher)
    row.metadata.all().delete()  # the cast has none that could be read
    row.root_fingerprint = ROOT
    row.save()
    return row


def test_it_says_what_follows_and_wants_the_root_and_a_reason(hub: Hub, aurora: Publisher) -> None:
    client, address = browser(hub.operator), deed(aurora, "begin-anew")
    assert address in client.get(page(aurora)).content.decode()
    asked = client.get(address).content.decode()
    assert "will refuse it, with an alarm" in asked
    assert ROOT not in asked
    for data in ({"root_now": ROOT, "reason": ""}, {"root_now": "", "reason": "they telephoned"}):
        assert "This field is required." in client.post(address, data).content.decode()
    wrong = client.post(address, {"root_now": "cd" * 32, "reason": "they telephoned"}).content.decode()
    assert "not the one you name" in wrong
    assert not Beginning.objects.exists()


def test_it_opens_the_door_and_closes_it_with_the_operators_name(hub: Hub, aurora: Publisher) -> None:
    client = browser(hub.operator)
    done = client.post(deed(aurora, "begin-anew"), {"root_now": ROOT, "reason": "they telephoned"}, follow=True)
    assert "may begin anew, once" in done.content.decode()
    row = Beginning.objects.get()
    assert (row.allowed_by, row.reason, row.before) == (hub.operator.email, "they telephoned", ROOT)
    offered = client.get(page(aurora)).content.decode()
    assert (deed(aurora, "begin-anew") in offered, deed(aurora, "withdraw-beginning") in offered) == (False, True)
    client.post(deed(aurora, "withdraw-beginning"), {"reason": "it was not them"})
    row.refresh_from_db()
    assert row.withdrawn_at is not None


def test_its_hotline_sees_that_it_was_let_and_by_whom_but_not_why(hub: Hub, aurora: Publisher) -> None:
    client = browser(hub.operator)
    client.post(deed(aurora, "begin-anew"), {"root_now": ROOT, "reason": "a call at noon"})
    row = Beginning.objects.get()
    shown = browser(hub.analyst).get(page(row)).content.decode()
    assert hub.operator.email in shown
    assert "a call at noon" not in shown
    assert "a call at noon" in client.get(page(row)).content.decode()
