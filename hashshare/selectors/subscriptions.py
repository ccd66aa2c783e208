"""Subscriptions as their two sides see them."""

from __future__ import annotations

from django.db.models import QuerySet

from hashshare.models import Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import visible_list


def list_subscriptions(*, caller: Caller, domain: str, slug: str) -> QuerySet[Subscription]:
    """To the publisher every request and grant of its list, newest first; to anyone else only the own ones.

    Raises NotEntitled for a list that the caller cannot see.
    """
    found = visible_list(caller=caller, domain=domain, slug=slug)
    rows = Subscription.objects.select_related("organisation", "list__publisher").filter(list=found)
    if found.publisher.organisation_id != caller.organisation.pk:
        rows = rows.filter(organisation=caller.organisation)
    return rows.order_by("-requested_at")


def own_subscriptions(*, caller: Caller) -> QuerySet[Subscription]:
    """The caller's subscriptions, closed ones included, newest first."""
    rows = Subscription.objects.select_related("organisation", "list__publisher")
    return rows.filter(organisation=caller.organisation).order_by("-requested_at")
