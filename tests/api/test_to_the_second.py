"""What ends is refused from the very second of its end, though no job has run since; and not a second before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from hashshare.models import AccessKey, Invitation, OrganisationKey, Subscription
from hashshare.services.expiry import expire_due
from hashshare.services.invitations import invite_key, invite_person
from hashshare.wire import keys
from tests.admin.cast import browser, person
from tests.api.parties import CLIENT, Party, with_authorization
from tests.api.publishing import Hotline, subscribed
from tests.api.test_enrolments import enrol

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
END = START + timedelta(minutes=5)
"""Of everything, so that a ten-minute token could outlive what it rests on."""

Ask = Callable[[], int]
"""A request that rests on what ends; the status of the answer."""


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(START, tick=False):
        yield


def read(secret: str, path: str = "status") -> int:
    return int(with_authorization(CLIENT, "GET", path, f"Bearer {secret}").status_code)


def lists_read(secret: str) -> int:
    """200 when the poll has a list, 404 when it has none."""
    answer = with_authorization(CLIENT, "GET", "heads", f"Bearer {secret}")
    return 200 if answer.status_code == 200 and answer.json()["lists"] else 404


def an_access_key(cobalt: Party, images: Hotline) -> list[Ask]:
    secret = str(cobalt.signed("POST", "access-keys", json={"name": "curl", "days": 1}).json()["key"])
    AccessKey.objects.update(expires_at=END)
    return [lambda: read(secret), lambda: read(secret, "heads")]


def a_key(cobalt: Party, images: Hotline) -> list[Ask]:
    """And with it the token that was issued to it, however much of its ten minutes is left."""
    token = cobalt.token()
    OrganisationKey.objects.filter(fingerprint=cobalt.fingerprint).update(not_after=END)
    return [lambda: cobalt.signed("POST", "tokens").status_code, lambda: read(token), lambda: read(token, "heads")]


def a_subscription(cobalt: Party, images: Hotline) -> list[Ask]:
    subscribed(cobalt, images)
    token = cobalt.token()
    Subscription.objects.update(ends_at=END)
    timestamp = f"tuf/{images.domain}/metadata/timestamp.json"
    return [lambda: lists_read(token), lambda: read(token, timestamp)]


def a_token(cobalt: Party, images: Hotline) -> list[Ask]:
    with time_machine.travel(END - timedelta(minutes=10), tick=False):
        token = cobalt.token()
    return [lambda: read(token), lambda: read(token, "heads")]


def an_invitation_of_a_machine(cobalt: Party, images: Hotline) -> list[Ask]:
    """Each asks with a code of its own, since a code works once."""
    codes = iter([invite_key(organisation=cobalt.organisation, now=START, valid_for=END - START)[1] for _ in range(4)])
    return [lambda: enrol(next(codes), keys.generate()).status_code]


def an_invitation_of_a_person(cobalt: Party, images: Hotline) -> list[Ask]:
    _, code = invite_person(role="engineer", organisation=cobalt.organisation, now=START, valid_for=END - START)
    return [lambda: Client().get(f"/invitation/{code}/").status_code]


def a_session_in_use(cobalt: Party, images: Hotline) -> list[Ask]:
    with time_machine.travel(END - timedelta(hours=12), tick=False) as clock:
        theirs = browser(person("engineer", cobalt.organisation))
        for _ in range(28):
            clock.shift(timedelta(minutes=25))
            assert theirs.get("/admin/").status_code == 200
    return [lambda: theirs.get("/admin/").status_code]


GOOD, OVER = {200, 201}, {302, 401, 403, 404, 410}


@pytest.mark.parametrize(
    "thing",
    [
        an_access_key,
        a_key,
        a_subscription,
        a_token,
        an_invitation_of_a_machine,
        an_invitation_of_a_person,
        a_session_in_use,
    ],
)
def test_it_ends_to_the_second(cobalt: Party, images: Hotline, thing: Callable[[Party, Hotline], list[Ask]]) -> None:
    asks = thing(cobalt, images)
    for moment, allowed in ((END - timedelta(seconds=1), GOOD), (END, OVER), (END + timedelta(days=3), OVER)):
        with time_machine.travel(moment, tick=False):
            for ask in asks:
                assert ask() in allowed, moment
    with time_machine.travel(END, tick=False):
        expire_due(now=END)
        for ask in asks:
            assert ask() in OVER


def test_what_was_ended_late_says_when_it_ended(cobalt: Party, images: Hotline) -> None:
    """The record of an outage of the hub is no extension of anything."""
    for thing in (an_access_key, a_key, a_subscription):
        thing(cobalt, images)
    expire_due(now=END + timedelta(days=9))
    assert AccessKey.objects.get().revoked_at == END
    assert OrganisationKey.objects.get(fingerprint=cobalt.fingerprint).revoked_at == END
    assert Subscription.objects.get().closed_at == END
    assert not Invitation.objects.filter(expires_at__lt=END, used_at=None).exists()
