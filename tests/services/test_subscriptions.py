"""A member asks, the hotline decides, and only then is anything readable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hashshare.models import Subscription
from hashshare.selectors.lists import catalogue, heads, list_detail
from hashshare.selectors.subscriptions import list_subscriptions
from hashshare.services.expiry import expire_due
from hashshare.services.subscriptions import decide_subscription, request_subscription
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    return feed


def ask(who: b.Party, feed: b.Feed, **changes: Any) -> tuple[Subscription, bool]:
    names: dict[str, Any] = {
        "domain": feed.publisher.domain,
        "slug": feed.row.slug,
        "terms_digest": feed.row.terms_digest,
    }
    return request_subscription(caller=who.caller, now=b.now(), **(names | changes))


def decide(feed: b.Feed, who: b.Party, decision: str, **changes: Any) -> Subscription:
    names: dict[str, Any] = {
        "caller": feed.publisher.caller,
        "domain": feed.publisher.domain,
        "slug": feed.row.slug,
        "now": b.now(),
    }
    return decide_subscription(organisation=who.organisation.slug, decision=decision, **(names | changes))


def readable(who: b.Party, after: timedelta = timedelta()) -> list[str]:
    return [head.name for head in heads(caller=who.caller, now=b.now() + after)]


def test_it_gives_nothing_before_the_grant(images: b.Feed) -> None:
    cobalt = b.member()
    _, created = ask(cobalt, images)
    assert created
    assert ask(cobalt, images)[1] is False
    assert readable(cobalt) == []
    rows = list_subscriptions(caller=images.publisher.caller, domain="aurora.example", slug="images")
    assert [(row.organisation, row.state) for row in rows] == [(cobalt.organisation, "requested")]
    decide(images, cobalt, "grant")
    assert readable(cobalt) == ["aurora.example/images"]


def test_it_takes_a_revoked_list_away_at_once(images: b.Feed) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    row = decide(images, cobalt, "revoke", reason="Terms broken")
    assert (row.state, row.reason) == ("revoked", "Terms broken")
    assert readable(cobalt) == []


def test_it_lets_a_denied_member_ask_again(images: b.Feed) -> None:
    cobalt = b.member()
    ask(cobalt, images)
    decide(images, cobalt, "deny")
    assert ask(cobalt, images)[1] is True
    assert Subscription.objects.count() == 2


def test_it_ends_by_date_even_before_the_record_says_so(images: b.Feed) -> None:
    cobalt = b.member()
    ask(cobalt, images)
    decide(images, cobalt, "grant", until=b.now() + timedelta(days=1))
    assert readable(cobalt) == ["aurora.example/images"]
    assert readable(cobalt, timedelta(days=1, seconds=1)) == []
    assert expire_due(now=b.now() + timedelta(days=2))["subscriptions"] == 1
    assert Subscription.objects.get().state == "ended"
    assert expire_due(now=b.now() + timedelta(days=2))["subscriptions"] == 0


def test_it_rejects_other_terms_than_those_that_stand(images: b.Feed) -> None:
    with pytest.raises(errors.TermsNotAccepted) as caught:
        ask(b.member(), images, terms_digest="0" * 64)
    assert caught.value.facts["terms_digest"] == images.row.terms_digest


def test_it_rejects_a_partner_and_the_publisher_itself(images: b.Feed) -> None:
    for who in (b.partner(), images.publisher.party):
        with pytest.raises(errors.NotAllowed):
            ask(who, images)


def test_it_rejects_decisions_of_anyone_but_the_publisher(images: b.Feed) -> None:
    cobalt, borealis = b.member(), b.publisher("Borealis", "borealis.example")
    ask(cobalt, images)
    for who in (cobalt.caller, borealis.caller):
        with pytest.raises(errors.NotEntitled):
            decide(images, cobalt, "grant", caller=who)


def test_it_rejects_decisions_that_make_no_sense(images: b.Feed) -> None:
    cobalt = b.member()
    with pytest.raises(errors.NotFound):
        decide(images, cobalt, "grant")
    ask(cobalt, images)
    with pytest.raises(errors.Conflict):
        decide(images, cobalt, "revoke")
    with pytest.raises(errors.UsageError):
        decide(images, cobalt, "perhaps")
    with pytest.raises(errors.UsageError):
        decide(images, cobalt, "grant", until=b.now())


def test_it_hides_a_private_list_until_it_is_offered() -> None:
    feed, cobalt = b.feed(b.publisher(), visibility="private"), b.member()
    feed.publish(feed.first([b.entry()]))
    assert catalogue(caller=cobalt.caller) == []
    with pytest.raises(errors.NotEntitled):
        ask(cobalt, feed)
    decide(feed, cobalt, "grant")
    assert readable(cobalt) == [], "the terms are not accepted yet"
    assert [row.list for row in catalogue(caller=cobalt.caller)] == [feed.row]
    ask(cobalt, feed)
    assert readable(cobalt) == ["aurora.example/images"]


def test_it_shows_a_member_only_the_own_subscriptions(images: b.Feed) -> None:
    cobalt, cerise = b.member(), b.member("Cerise")
    ask(cobalt, images)
    ask(cerise, images)
    rows = list_subscriptions(caller=cobalt.caller, domain="aurora.example", slug="images")
    assert [row.organisation for row in rows] == [cobalt.organisation]
    assert list_subscriptions(caller=images.publisher.caller, domain="aurora.example", slug="images").count() == 2
    detail = list_detail(caller=cobalt.caller, domain="aurora.example", slug="images")
    assert detail.subscription is not None and detail.subscription.organisation == cobalt.organisation
