"""Subscriptions of a demonstration, what was delivered for them, and what members acknowledged."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from django.db import connection

from hashshare.demonstration.lists import Head
from hashshare.demonstration.parties import Parties
from hashshare.demonstration.sizes import Size
from hashshare.models import Acknowledgement, Delivery, Leaf, Organisation, Release, Reminder, Subscription
from hashshare.selectors.propagation import entitled_at
from hashshare.services.deliveries import row_of
from hashshare.services.logs import hidden_leaf, log_of

BATCH: Final = 5_000
LOGGED: Final = 150
"""How many of the newest deliveries stand in the logs too."""
STATEMENT: Final = json.dumps({"payload": "", "payloadType": "application/vnd.hashshare.made-up", "signatures": []})
"""No member signed anything."""

DELIVERIES: Final = """
    INSERT INTO hashshare_delivery
        (organisation_id, list_id, version, acknowledged, manifest_digest, bytes, key, at)
    SELECT organisation_id, list_id, version, nullif(version - 1, 0), manifest_digest, 1400 + 60 * (version %% 40),
        fingerprint, arrived
    FROM (
        SELECT *, published_at + interval '1 hour' * CASE WHEN slug = ANY(%(slow)s) THEN 6 ELSE 1 END
            * exp(1.4 + 0.9 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) AS arrived
        FROM (
            SELECT subscription.organisation_id, release.list_id, release.version, release.manifest_digest,
                release.published_at, organisation.slug, key.fingerprint
            FROM hashshare_release AS release
            JOIN hashshare_hashlist AS list ON list.id = release.list_id
            JOIN hashshare_subscription AS subscription
                ON subscription.list_id = list.id AND subscription.entitled_at < release.published_at
            JOIN hashshare_organisation AS organisation ON organisation.id = subscription.organisation_id
            JOIN hashshare_organisationkey AS key ON key.organisation_id = organisation.id
            ORDER BY release.published_at, list.tuf_id, organisation.slug
        ) AS pairs
    ) AS arrivals
    WHERE arrived < %(now)s ORDER BY arrived
"""
"""Made where they are kept: a million rows through a program take many times as long. A list's hours are log-normal."""

ACKNOWLEDGEMENTS: Final = """
    INSERT INTO hashshare_acknowledgement
        (organisation_id, list_id, version, purged, manifest_digest, statement, key, received_at)
    SELECT organisation_id, list_id, version, version - 1, manifest_digest, %(statement)s, key,
        least(at + interval '1 second' * (4 + floor(236 * random())), %(now)s)
    FROM (SELECT * FROM hashshare_delivery ORDER BY at, id) AS delivery WHERE random() < %(share)s
"""


def subscribe_members(
    *, heads: list[Head], parties: Parties, size: Size, dice: random.Random, now: datetime
) -> list[Subscription]:
    """Each list has so many subscribers, the first member all; some more have asked, and one was refused."""
    active = [row for row in parties.members if row.slug in parties.keys and row.state == "active"]
    rows = []
    for number, head in enumerate(heads):
        chosen = [active[0], *dice.sample(active[1:], min(size.subscribers - 1, len(active) - 1))]
        rows += [_granted(head, one, number, dice, now) for one in chosen]
        others = [one for one in active if one not in chosen]
        rows += [_asked(head, one, dice, now) for one in others[:2]]
        rows += [_denied(head, one, now) for one in others[2:3]]
    return Subscription.objects.bulk_create(rows, batch_size=BATCH)


def _granted(head: Head, member: Any, number: int, dice: random.Random, now: datetime) -> Subscription:
    asked = max(member.created_at, head.list.created_at) + timedelta(days=dice.randrange(1, 20))
    asked = min(asked, now - timedelta(days=2))
    ends = now + timedelta(days=dice.randrange(3, 400)) if number % 3 == 0 else None
    return Subscription(
        list=head.list,
        organisation=member,
        state=Subscription.State.ACTIVE,
        terms_digest=head.list.terms_digest,
        terms_accepted_at=asked,
        requested_at=asked,
        decided_at=asked + timedelta(hours=20),
        entitled_at=asked + timedelta(hours=20),
        ends_at=ends,
    )


def _asked(head: Head, member: Any, dice: random.Random, now: datetime) -> Subscription:
    asked = now - timedelta(hours=dice.randrange(2, 200))
    return Subscription(
        list=head.list,
        organisation=member,
        terms_digest=head.list.terms_digest,
        terms_accepted_at=asked,
        requested_at=asked,
    )


def _denied(head: Head, member: Any, now: datetime) -> Subscription:
    return Subscription(
        list=head.list,
        organisation=member,
        state=Subscription.State.DENIED,
        requested_at=now - timedelta(days=31),
        decided_at=now - timedelta(days=30),
        closed_at=now - timedelta(days=30),
        reason="Not yet a member of the coalition.",
    )


def deliver(*, share: float, now: datetime) -> None:
    """Every release to whoever was entitled by then, some hours later; `share` of them acknowledge, soon after.

    Half within six hours; a few members take days.
    """
    slow = [slug for slug in Organisation.objects.values_list("slug", flat=True) if crc32(slug.encode()) % 11 == 0]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE hashshare_release, hashshare_subscription")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(DELIVERIES, {"slow": slow, "now": now})
        cursor.execute(ACKNOWLEDGEMENTS, {"statement": STATEMENT, "share": share, "now": now})
    _log_newest(now)
    _remind(now)


def _log_newest(now: datetime) -> None:
    newest = Delivery.objects.select_related("organisation", "list__publisher").order_by("-at")[:LOGGED]
    leaves = []
    for row in reversed(newest):
        leaf = hidden_leaf(log_of(row.list.publisher, now=now).pk, row_of(row), row.at)
        leaf.organisation, leaf.list, leaf.delivery = row.organisation, row.list, row
        leaves.append(leaf)
    Leaf.objects.bulk_create(leaves)


def _remind(now: datetime) -> None:
    """One member that lags behind is reminded of the newest withdrawal that is older than two days."""
    old = Release.objects.filter(withdrawals__gt=0, published_at__lt=now - timedelta(days=2)).order_by("-published_at")
    release = old.first()
    if release is None:
        return
    behind = entitled_at(release.list, release.published_at or now).last()
    if behind is None:
        return
    late = Acknowledgement.objects.filter(organisation=behind.organisation, list=release.list)
    late.filter(version__gte=release.version).delete()
    Reminder.objects.create(
        release=release, organisation=behind.organisation, recipients=0, sent_at=now - timedelta(hours=5)
    )
