"""Subscriptions of a demonstration, what was delivered for them, and what members acknowledged."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from zlib import crc32

from django.db.models import Model

from hashshare.demonstration.lists import Head
from hashshare.demonstration.parties import Parties
from hashshare.demonstration.sizes import Size
from hashshare.models import Acknowledgement, Delivery, Leaf, OrganisationKey, Release, Reminder, Subscription
from hashshare.services.deliveries import row_of
from hashshare.services.logs import hidden_leaf, log_of

BATCH: Final = 5_000
LOGGED: Final = 150
"""How many of the newest deliveries stand in the logs too."""
STATEMENT: Final = json.dumps({"payload": "", "payloadType": "application/vnd.hashshare.made-up", "signatures": []})
"""No member signed anything."""


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


def deliver(
    *,
    releases: list[Release],
    subscriptions: list[Subscription],
    machines: dict[str, OrganisationKey],
    share: float,
    dice: random.Random,
    now: datetime,
) -> None:
    """Every release to whoever was entitled by then, some hours later; `share` of them acknowledge, soon after."""
    entitled = defaultdict(list)
    for row in subscriptions:
        if row.entitled_at is not None:
            entitled[row.list_id].append(row)
    _keep(Delivery, _deliveries(releases, entitled, machines, dice, now))
    _keep(Acknowledgement, _acknowledgements(releases, entitled, machines, share, dice, now))
    _log_newest(now)
    _remind(releases, entitled, now)


def _arrivals(
    releases: Iterable[Release], entitled: dict[Any, list[Subscription]], dice: random.Random, now: datetime
) -> Iterator[tuple[Release, Subscription, datetime]]:
    """Half within six hours; a few members take days. The same dice give the same arrivals."""
    for release in releases:
        if release.published_at is None:
            continue
        for row in entitled[release.list_id]:
            slow = 6.0 if crc32(row.organisation.slug.encode()) % 11 == 0 else 1.0
            at = release.published_at + timedelta(hours=slow * dice.lognormvariate(1.4, 0.9))
            if row.entitled_at is not None and row.entitled_at < release.published_at and at < now:
                yield release, row, at


def _deliveries(
    releases: list[Release],
    entitled: dict[Any, list[Subscription]],
    machines: dict[str, OrganisationKey],
    dice: random.Random,
    now: datetime,
) -> Iterator[Delivery]:
    dice.seed(1)
    for release, row, at in _arrivals(releases, entitled, dice, now):
        yield Delivery(
            organisation=row.organisation,
            list=release.list,
            version=release.version,
            acknowledged=release.version - 1 or None,
            manifest_digest=release.manifest_digest,
            bytes=1_400 + 60 * (release.version % 40),
            key=machines[row.organisation.slug].fingerprint,
            at=at,
        )


def _acknowledgements(
    releases: list[Release],
    entitled: dict[Any, list[Subscription]],
    machines: dict[str, OrganisationKey],
    share: float,
    dice: random.Random,
    now: datetime,
) -> Iterator[Acknowledgement]:
    dice.seed(1)
    lots = random.Random(2)  # noqa: S311  (made up, nothing secret)
    for release, row, at in _arrivals(releases, entitled, dice, now):
        if lots.random() < share:
            yield Acknowledgement(
                organisation=row.organisation,
                list=release.list,
                version=release.version,
                purged=max(0, release.version - 1),
                manifest_digest=release.manifest_digest,
                statement=STATEMENT,
                key=machines[row.organisation.slug].fingerprint,
                received_at=min(at + timedelta(seconds=lots.randrange(4, 240)), now),
            )


def _keep(model: type[Model], rows: Iterator[Any]) -> None:
    while batch := list(islice(rows, BATCH)):
        model._default_manager.bulk_create(batch)


def _log_newest(now: datetime) -> None:
    newest = Delivery.objects.select_related("organisation", "list__publisher").order_by("-at")[:LOGGED]
    leaves = []
    for row in reversed(newest):
        leaf = hidden_leaf(log_of(row.list.publisher, now=now).pk, row_of(row), row.at)
        leaf.organisation, leaf.list, leaf.delivery = row.organisation, row.list, row
        leaves.append(leaf)
    Leaf.objects.bulk_create(leaves)


def _remind(releases: list[Release], entitled: dict[Any, list[Subscription]], now: datetime) -> None:
    """One member that lags behind is reminded of the newest withdrawal that is older than a day."""
    old = [
        row for row in releases if row.withdrawals and row.published_at and row.published_at < now - timedelta(days=2)
    ]
    if old and entitled[old[-1].list_id]:
        behind = entitled[old[-1].list_id][-1].organisation
        Acknowledgement.objects.filter(organisation=behind, list=old[-1].list, version__gte=old[-1].version).delete()
        Reminder.objects.create(release=old[-1], organisation=behind, recipients=0, sent_at=now - timedelta(hours=5))
