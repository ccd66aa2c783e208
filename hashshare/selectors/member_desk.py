"""A member's desk: what an organisation subscribes to, what it still owes, and what the hub logged of it.

Each is one query, whatever the organisation has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db.models import OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL

from hashshare.models import (
    AccessKey,
    Acknowledgement,
    Delivery,
    HashList,
    Leaf,
    OrganisationKey,
    Release,
    Subscription,
)
from hashshare.selectors.callers import Caller

SHOWN_AFTER: Final = timedelta(days=90)
"""How long what has ended stays on the desk."""
MOST: Final = 200
"""Rows of one kind."""

OWED: Final = """
    SELECT owed.id
    FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[]) AS mine (list_id, held, entitled_at)
    JOIN hashshare_release AS owed
        ON owed.list_id = mine.list_id AND owed.version > mine.held AND owed.published_at >= mine.entitled_at
    WHERE owed.state = 'published' AND owed.withdrawals > 0
    ORDER BY owed.published_at
    LIMIT %s
"""
"""As a condition of the ORM, each list that a member takes would be a term of its own, which is slow with a hundred."""

Progress = Literal["none", "never synced", "behind", "up to date"]


@dataclass(frozen=True, slots=True)
class OwnSubscription:
    """The newest to its list. `acknowledged` is the version that was last stated to be in use, None before the first;
    `delivered_at` when the hub last served the list's manifest.
    """

    row: Subscription
    acknowledged: int | None
    acknowledged_at: datetime | None
    delivered_at: datetime | None
    now: datetime

    @property
    def in_force(self) -> bool:
        lasting = self.row.ends_at is None or self.row.ends_at > self.now
        entitled = self.row.terms_accepted_at is not None and self.row.entitled_at is not None
        return self.row.state == Subscription.State.ACTIVE and entitled and lasting

    @property
    def state(self) -> str:
        """requested, active, terms to accept, ended, denied or revoked."""
        if self.row.state != Subscription.State.ACTIVE:
            return self.row.state
        if self.row.ends_at is not None and self.row.ends_at <= self.now:
            return "ended"
        return "active" if self.row.terms_accepted_at is not None else "terms to accept"

    @property
    def terms_changed(self) -> bool:
        """Others stand now than were accepted; the subscription goes on meanwhile."""
        return self.in_force and self.row.terms_digest != self.row.list.terms_digest

    @property
    def progress(self) -> Progress:
        """`none` where there is nothing to sync."""
        if not self.in_force or self.row.list.version == 0:
            return "none"
        if self.acknowledged is None:
            return "never synced"
        return "up to date" if self.acknowledged >= self.row.list.version else "behind"


@dataclass(frozen=True, slots=True)
class Duty:
    """A withdrawal that the organisation was entitled to receive and has not acknowledged."""

    release: Release
    deadline: datetime
    overdue: bool


def own_subscriptions(*, caller: Caller, now: datetime) -> list[OwnSubscription]:
    """Of each list the newest, by the list's name; closed ones for 90 days."""
    shown = Q(closed_at=None) | Q(closed_at__gt=now - SHOWN_AFTER)
    stated = Acknowledgement.objects.filter(list=OuterRef("list"), organisation=caller.organisation)
    stated = stated.order_by("-version", "-received_at")
    served = Delivery.objects.filter(list=OuterRef("list"), organisation=caller.organisation).order_by("-at")
    newest = Subscription.objects.filter(organisation=caller.organisation).order_by("list_id", "-requested_at")
    rows = (
        Subscription.objects.filter(shown, pk__in=newest.distinct("list_id").values("pk"))
        .select_related("list__publisher__organisation")
        .annotate(
            acknowledged=Subquery(stated.values("version")[:1]),
            acknowledged_at=Subquery(stated.values("received_at")[:1]),
            delivered_at=Subquery(served.values("at")[:1]),
        )
        .order_by("list__publisher__domain", "list__slug")
    )
    return [OwnSubscription(row, row.acknowledged, row.acknowledged_at, row.delivered_at, now) for row in rows[:MOST]]


def acknowledged_version(*, caller: Caller, of: HashList) -> int | None:
    """That the organisation last stated to have applied; None before the first."""
    stated = Acknowledgement.objects.filter(list=of, organisation=caller.organisation)
    return stated.order_by("-version", "-received_at").values_list("version", flat=True).first()


def own_duties(*, subscriptions: Iterable[OwnSubscription], now: datetime) -> list[Duty]:
    """Oldest first. One acknowledgement of a later version covers all before it, so of each list only what is newer
    than that is looked at.
    """
    behind = [each for each in subscriptions if each.progress in ("never synced", "behind")]
    lists, since = [each.row.list_id for each in behind], [each.row.entitled_at for each in behind]
    held = [each.acknowledged or 0 for each in behind]
    owed = RawSQL(OWED, [lists, held, since, MOST])  # noqa: S611  (no word of it comes from outside)
    found = Release.objects.filter(pk__in=owed).select_related("list__publisher").order_by("published_at")
    return [duty(release, now) for release in found]


def duty(release: Release, now: datetime) -> Duty:
    deadline = (release.published_at or release.created_at) + timedelta(hours=release.list.deadline_hours)
    return Duty(release, deadline, overdue=now > deadline)


def own_leaves(*, caller: Caller, limit: int) -> list[Leaf]:
    """What the hub logged of the organisation, the newest first: deliveries and acknowledgements."""
    rows = Leaf.objects.filter(organisation=caller.organisation, row__isnull=False)
    rows = rows.select_related("log", "list__publisher", "delivery", "acknowledgement")
    return list(rows.order_by("-pk")[:limit])


def machine_keys(*, caller: Caller, now: datetime) -> list[OrganisationKey]:
    """Those that work, and for 90 days those that have ended; the newest first."""
    recent = now - SHOWN_AFTER
    shown = (Q(revoked_at=None) | Q(revoked_at__gt=recent)) & (Q(not_after=None) | Q(not_after__gt=recent))
    rows = OrganisationKey.objects.filter(shown, organisation=caller.organisation).select_related("holder")
    return list(rows.order_by("-created_at")[:MOST])


def reading_keys(*, caller: Caller, now: datetime) -> list[AccessKey]:
    """Access keys, likewise."""
    recent = now - SHOWN_AFTER
    shown = (Q(revoked_at=None) | Q(revoked_at__gt=recent)) & Q(expires_at__gt=recent)
    rows = AccessKey.objects.filter(shown, organisation=caller.organisation)
    return list(rows.select_related("made_by", "made_with").order_by("-created_at")[:MOST])
