"""What has an end date is ended once, and the record says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hashshare.models import AccessKey, Invitation, OrganisationKey, Subscription
from hashshare.services.access_keys import create_access_key
from hashshare.services.expiry import expire_due
from hashshare.services.invitations import invite_organisation
from tests import builders as b

pytestmark = pytest.mark.django_db


def test_it_ends_nothing_before_its_time() -> None:
    cobalt = b.member()
    create_access_key(caller=cobalt.caller, name="curl", days=30, now=b.now())
    assert set(expire_due(now=b.now() + timedelta(days=29)).values()) == {0}


def test_it_ends_machine_keys() -> None:
    cobalt, end = b.member(), b.now() + timedelta(days=365)
    OrganisationKey.objects.update(not_after=end)
    assert expire_due(now=end)["keys"] == 1
    assert OrganisationKey.objects.get(organisation=cobalt.organisation).revoked_at == end
    assert expire_due(now=end + timedelta(hours=1))["keys"] == 0


def test_it_ends_access_keys() -> None:
    create_access_key(caller=b.member().caller, name="curl", days=30, now=b.now())
    later = b.now() + timedelta(days=30)
    assert expire_due(now=later)["access_keys"] == 1
    ended = AccessKey.objects.get()
    assert ended.revoked_at == ended.expires_at


def test_it_ends_subscriptions() -> None:
    feed, cobalt = b.feed(b.publisher()), b.member()
    b.subscribed(cobalt, feed)
    later = b.now() + timedelta(days=1)
    Subscription.objects.update(ends_at=later)
    assert expire_due(now=later)["subscriptions"] == 1
    ended = Subscription.objects.get()
    assert (ended.state, ended.closed_at) == ("ended", later)


def test_it_removes_invitations_long_after_they_ended() -> None:
    invite_organisation(kind="member", name="Ember", country="NL", valid_for=timedelta(days=14), now=b.now())
    assert expire_due(now=b.now() + timedelta(days=15))["invitations"] == 0
    assert Invitation.objects.filter(used_at=None).count() == 1
    assert expire_due(now=b.now() + timedelta(days=14 + 91))["invitations"] == 1
