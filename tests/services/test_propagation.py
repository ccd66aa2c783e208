"""Of each withdrawal: who was entitled, who has applied it and purged what it took back, how fast, who is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hashshare.models import Release, Subscription
from hashshare.selectors.propagation import Propagation, Withdrawal, propagation
from hashshare.services.organisations import suspend_organisation
from hashshare.services.subscriptions import decide_subscription, request_subscription
from hashshare.wire import errors
from tests import builders as b
from tests.services.statements import state

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def images(db: None) -> b.Feed:
    """Version 1 with three entries."""
    feed = b.feed(b.publisher(), deadline_hours=6)
    rows = [b.entry() for _ in range(9)]
    feed.publish(feed.first(rows))
    feed.rows = rows  # type: ignore[attr-defined]
    return feed


def withdraw(feed: b.Feed, count: int = 1) -> Release:
    rows: list[Any] = feed.rows  # type: ignore[attr-defined]
    taken, rows[:] = rows[:count], rows[count:]
    feed.publish(feed.next([b.withdraw(row) for row in taken]))
    return Release.objects.get(list=feed.row, version=feed.row.version)


def members(feed: b.Feed, *names: str) -> list[b.Party]:
    made = [b.member(name) for name in names]
    for each in made:
        b.subscribed(each, feed)
    return made


def seen(feed: b.Feed, *, now: datetime | None = None, **options: Any) -> Propagation:
    caller = feed.publisher.caller
    return propagation(caller=caller, domain="aurora.example", slug="images", now=now or b.now(), **options)


def one(feed: b.Feed, version: int, **options: Any) -> Withdrawal:
    (found,) = seen(feed, version=version, **options).withdrawals
    return found


def states(found: Withdrawal) -> dict[str, str]:
    return {member.organisation.slug: member.state for member in found.members}


def decide(feed: b.Feed, who: b.Party, decision: str, **options: Any) -> None:
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": b.now()}
    decide_subscription(
        caller=feed.publisher.caller, organisation=who.organisation.slug, decision=decision, **names | options
    )


def test_it_fills_up_as_members_state_what_they_did(images: b.Feed) -> None:
    cobalt, granite, _ = members(images, "Cobalt", "Granite", "Mica")
    release = withdraw(images, 2)
    at = release.published_at
    assert at is not None
    found = one(images, 2)
    assert (found.entitled, found.applied, found.purged, found.overdue, found.withdrawn) == (3, 0, 0, 0, 2)
    assert (found.median_seconds, found.p95_seconds) == (None, None)
    assert found.deadline == at + 6 * HOUR
    state(cobalt, images, 2, purged=1, now=at + HOUR)
    state(granite, images, 2, purged=2, now=at + 3 * HOUR)
    found = one(images, 2, now=at + 7 * HOUR)
    assert states(found) == {"cobalt": "applied", "granite": "purged", "mica": "overdue"}
    assert (found.applied, found.purged, found.overdue) == (2, 1, 1)
    assert (found.median_seconds, found.p95_seconds) == (7200, 10800)
    assert [member.applied_at for member in found.members] == [at + HOUR, at + 3 * HOUR, None]
    assert [member.purged_at for member in found.members] == [None, at + 3 * HOUR, None]


def test_a_later_version_covers_the_earlier_ones(images: b.Feed) -> None:
    (cobalt,) = members(images, "Cobalt")
    first, second, third = withdraw(images), withdraw(images), withdraw(images)
    assert (first.published_at, second.published_at, third.published_at) != (None, None, None)
    state(cobalt, images, 3, purged=2, now=b.now() + HOUR)
    versions = {found.version: states(found)["cobalt"] for found in seen(images, now=b.now() + 7 * HOUR).withdrawals}
    assert versions == {2: "purged", 3: "applied", 4: "overdue"}
    applied = state(cobalt, images, 4, purged=4, now=b.now() + 8 * HOUR)[0].received_at
    assert one(images, 2).members[0].applied_at < applied  # type: ignore[operator]
    assert one(images, 4).members[0].purged_at == applied


def test_overdue_begins_after_the_lists_own_deadline(images: b.Feed) -> None:
    members(images, "Cobalt")
    at = withdraw(images).published_at
    assert at is not None
    assert one(images, 2, now=at + 6 * HOUR).overdue == 0
    assert one(images, 2, now=at + 6 * HOUR + timedelta(seconds=1)).overdue == 1


def test_what_was_purged_and_downloaded_again_is_not_purged(images: b.Feed) -> None:
    (cobalt,) = members(images, "Cobalt")
    withdraw(images)
    state(cobalt, images, 2, purged=2)
    assert states(one(images, 2)) == {"cobalt": "purged"}
    state(cobalt, images, 2, purged=1, now=b.now() + HOUR)
    assert states(one(images, 2)) == {"cobalt": "applied"}


def test_only_who_was_entitled_at_that_moment_is_asked(images: b.Feed) -> None:
    cobalt, granite, mica = members(images, "Cobalt", "Granite", "Mica")
    decide(images, mica, "revoke")
    asked, granted = b.member("Slate"), b.member("Talc")
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": b.now()}
    request_subscription(caller=asked.caller, terms_digest=images.row.terms_digest, **names)
    withdraw(images)
    b.subscribed(granted, images)
    assert set(states(one(images, 2))) == {"cobalt", "granite"}
    decide(images, granite, "grant", now=b.now() + HOUR, until=b.now() + DAY)  # prolonged: entitled before all the same
    assert set(states(one(images, 2))) == {"cobalt", "granite"}
    later = b.now() + 7 * HOUR
    decide(images, cobalt, "revoke")
    assert states(one(images, 2, now=later)) == {"cobalt": "left", "granite": "overdue"}
    state(cobalt, images, 2)
    assert states(one(images, 2, now=later)) == {"cobalt": "applied", "granite": "overdue"}
    suspend_organisation(organisation=granite.organisation)
    assert states(one(images, 2, now=later)) == {"cobalt": "applied", "granite": "left"}


def test_who_came_back_is_asked_again(images: b.Feed) -> None:
    (cobalt,) = members(images, "Cobalt")
    withdraw(images)
    decide(images, cobalt, "revoke")
    b.subscribed(cobalt, images)
    assert states(one(images, 2, now=b.now() + 7 * HOUR)) == {"cobalt": "overdue"}
    assert Subscription.objects.filter(organisation=cobalt.organisation).count() == 2


def test_a_release_without_withdrawals_is_shown_when_asked_for(images: b.Feed) -> None:
    members(images, "Cobalt")
    withdraw(images)
    images.publish(images.next([b.upsert(b.entry())]))
    assert [found.version for found in seen(images).withdrawals] == [2]
    assert one(images, 3).entitled == 1
    assert seen(images, now=b.now() + 31 * DAY).withdrawals == ()
    with pytest.raises(errors.NotFound):
        one(images, 4)


def test_it_is_the_hotlines_own(images: b.Feed) -> None:
    (cobalt,) = members(images, "Cobalt")
    withdraw(images)
    borealis = b.party("hotline", "Borealis", domains=["borealis.example"])
    for who in (cobalt, borealis):
        with pytest.raises(errors.NotEntitled):
            propagation(caller=who.caller, domain="aurora.example", slug="images", now=b.now())


def test_it_asks_once_however_many_releases_and_members(images: b.Feed) -> None:
    members(images, "Cobalt")
    withdraw(images)
    with CaptureQueriesContext(connection) as few:
        seen(images)
    members(images, "Granite", "Mica", "Slate")
    withdraw(images)
    with CaptureQueriesContext(connection) as more:
        seen(images)
    assert len(more) == len(few)
