"""Everything at the hub that has an end date, in one order: what ends next, whose it is, and whether it is urgent."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeVar

from django.db.models import Q, QuerySet

from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey, Subscription
from hashshare.selectors.freshness import signatures

Row = TypeVar("Row", OrganisationKey, AccessKey, Invitation)

SOON: Final = timedelta(days=7)
"""From when on anything but a signature, which has steps of its own, counts as ending soon."""

SOURCES: Final = ("signature", "subscription", "key", "access_key", "invitation")


@dataclass(frozen=True, slots=True)
class Expiring:
    """`kind` is feed, targets, root, major, snapshot or timestamp of a signature, else one of `SOURCES`.

    `whose` is None for what belongs to the hub itself. `granted_by` is who renews what the owner cannot: the hotline of
    a subscription. `row` leads to the row of a table: its class's name in lower case and its id. `hosted`: a list's
    feed that the hub signs again by itself.
    """

    kind: str
    whose: Organisation | None
    what: str
    ends: datetime
    urgent: bool
    granted_by: Organisation | None = None
    row: tuple[str, str] | None = None
    hosted: bool = False

    @property
    def source(self) -> str:
        return self.kind if self.kind in SOURCES else "signature"


def expiring(
    *, of: uuid.UUID | None, now: datetime, until: datetime, sources: Collection[str] = SOURCES, limit: int
) -> list[Expiring]:
    """What ends before `until`, soonest first, at most `limit`. What has ended is there for as long as it matters:
    signatures until they are renewed, the rest until the next run of the timetable.

    `of`: the organisation whose rows are seen, None for an operator, who sees all. A hotline also sees subscriptions to
    its lists. What the hub signs for itself is the operators' alone.
    """
    found: list[Expiring] = []
    for source, rows in ROWS.items():
        if source in sources:
            found.extend(rows(of, now, until, limit))
    return sorted(found, key=lambda each: (each.ends, each.what))[:limit]


def urgent_signatures(*, of: uuid.UUID | None, now: datetime, until: datetime, limit: int) -> list[Expiring]:
    """Those that end before `until` and that somebody has to see to today, soonest first, at most `limit`.

    All are looked at: the hub's own timestamps always end within a day, and must not crowd out what needs somebody.
    """
    return list(islice((each for each in _signatures(of, now, until, None) if each.urgent), limit))


def _signatures(of: uuid.UUID | None, now: datetime, until: datetime, limit: int | None) -> Iterator[Expiring]:
    for each in signatures(of=of, until=until, by_hub=of is None, limit=limit):
        step = each.step(now)
        whose = None if each.by_hub else each.publisher.organisation
        row = ("hashlist", str(each.list.pk)) if each.list else ("publisher", str(each.publisher.pk))
        urgent, hosted = step is not None and step.urgent, each.list is not None and each.list.hosted
        yield Expiring(each.kind, whose, each.subject, each.ends, urgent, row=row, hosted=hosted)


def _subscriptions(of: uuid.UUID | None, now: datetime, until: datetime, limit: int) -> Iterator[Expiring]:
    rows = Subscription.objects.filter(state=Subscription.State.ACTIVE, ends_at__lt=until).order_by("ends_at")
    if of is not None:
        rows = rows.filter(Q(organisation=of) | Q(list__publisher__organisation=of))
    for row in rows.select_related("organisation", "list__publisher__organisation")[:limit]:
        if row.ends_at is not None:
            hotline = row.list.publisher.organisation
            yield _of(row, "subscription", row.organisation, row.list.name, row.ends_at, now, granted_by=hotline)


def _keys(of: uuid.UUID | None, now: datetime, until: datetime, limit: int) -> Iterator[Expiring]:
    rows = OrganisationKey.objects.filter(revoked_at=None, not_after__lt=until).order_by("not_after")
    for row in _own(rows, of)[:limit]:
        if row.not_after is not None:
            yield _of(row, "key", row.organisation, _short(row), row.not_after, now)


def _short(key: OrganisationKey) -> str:
    """Its name and enough of its fingerprint to tell it from others of that name."""
    return f"{key.name} {key.fingerprint[:15]}\N{HORIZONTAL ELLIPSIS}".strip()


def _access_keys(of: uuid.UUID | None, now: datetime, until: datetime, limit: int) -> Iterator[Expiring]:
    rows = AccessKey.objects.filter(revoked_at=None, expires_at__lt=until).order_by("expires_at")
    for row in _own(rows, of)[:limit]:
        yield _of(row, "access_key", row.organisation, str(row), row.expires_at, now)


def _invitations(of: uuid.UUID | None, now: datetime, until: datetime, limit: int) -> Iterator[Expiring]:
    """Those that can still be used: one that ran out is in nobody's way."""
    rows = Invitation.objects.filter(used_at=None, expires_at__gt=now, expires_at__lt=until).order_by("expires_at")
    for row in _own(rows, of)[:limit]:
        what = row.email or ("the first key of a machine" if row.kind == Invitation.Kind.ORGANISATION else row.role)
        yield _of(row, "invitation", row.organisation, what, row.expires_at, now)


ROWS: Final = {
    "signature": _signatures,
    "subscription": _subscriptions,
    "key": _keys,
    "access_key": _access_keys,
    "invitation": _invitations,
}


def _own(rows: QuerySet[Row], of: uuid.UUID | None) -> QuerySet[Row]:
    rows = rows.select_related("organisation")
    return rows if of is None else rows.filter(organisation=of)


def _of(
    row: Subscription | OrganisationKey | AccessKey | Invitation,
    kind: str,
    whose: Organisation | None,
    what: str,
    ends: datetime,
    now: datetime,
    *,
    granted_by: Organisation | None = None,
) -> Expiring:
    return Expiring(kind, whose, what, ends, ends - now < SOON, granted_by, (str(row._meta.model_name), str(row.pk)))
