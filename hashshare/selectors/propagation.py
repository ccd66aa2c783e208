"""Withdrawal propagation: of each release that took entries back, who has applied it, who has purged, who is late."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from hashshare.models import Acknowledgement, HashList, Organisation, Release, Reminder, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.elsewhere import HubStanding, elsewhere
from hashshare.selectors.entitlements import in_force, own_list
from hashshare.wire import errors

SHOWN_DAYS = 30
MOST = 20
"""Releases in one answer, the newest."""


@dataclass(frozen=True, slots=True)
class MemberState:
    """How far one member is. `purged_at` goes back to None when it has downloaded older objects again.

    `state`: waiting, applied, purged, overdue, or left: its access ended before it had applied the withdrawal.
    `reminded_at` is None also when it has nobody here whom a mail could have reached.
    """

    organisation: Organisation
    applied_at: datetime | None
    purged_at: datetime | None
    state: str
    reminded_at: datetime | None = None

    @property
    def overdue(self) -> bool:
        return self.state == "overdue"


@dataclass(frozen=True, slots=True)
class HubState:
    """Another hub: its own copy of the list, by its own statements (None where another hub passes the list on to it),
    and what is told of its members.
    """

    mirror: MemberState | None
    standing: HubStanding


@dataclass(frozen=True, slots=True)
class Totals:
    """Members at this hub and, as far as these tell, at others."""

    entitled: int
    applied: int
    purged: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One release with withdrawals, and where each member who was entitled at that moment stands.

    `mirrors`: hubs that were entitled then; they are no members, and counted nowhere. `hubs`: see `over_hubs`.
    """

    release: Release
    deadline: datetime
    members: tuple[MemberState, ...]
    mirrors: tuple[MemberState, ...] = ()
    hubs: tuple[HubState, ...] = ()

    @property
    def version(self) -> int:
        return self.release.version

    @property
    def published_at(self) -> datetime:
        return published(self.release)

    @property
    def withdrawn(self) -> int:
        """Entries."""
        return self.release.withdrawals

    @property
    def entitled(self) -> int:
        return len(self.members)

    @property
    def applied(self) -> int:
        return sum(member.applied_at is not None for member in self.members)

    @property
    def purged(self) -> int:
        return sum(member.purged_at is not None for member in self.members)

    @property
    def overdue(self) -> int:
        return sum(member.overdue for member in self.members)

    @property
    def everywhere(self) -> Totals:
        parts = [self, *(hub.standing for hub in self.hubs)]
        names = ("entitled", "applied", "purged", "overdue")
        return Totals(*(sum(getattr(part, name) for part in parts) for name in names))

    @property
    def seconds(self) -> list[float]:
        """From publication to each member's acknowledgement, shortest first."""
        moments = (member.applied_at for member in self.members)
        return sorted((moment - self.published_at).total_seconds() for moment in moments if moment is not None)

    @property
    def median_seconds(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def p95_seconds(self) -> float | None:
        """What 95 of 100 do not exceed, by nearest rank: of few members the slowest."""
        seconds = self.seconds
        return seconds[-(-len(seconds) * 95 // 100) - 1] if seconds else None


@dataclass(frozen=True, slots=True)
class Propagation:
    """The newest first."""

    list: HashList
    as_of: datetime
    withdrawals: tuple[Withdrawal, ...]


def propagation(
    *, caller: Caller, domain: str, slug: str, now: datetime, version: int | None = None, days: int = SHOWN_DAYS
) -> Propagation:
    """Of the caller's own list: one release, or those of the last days that withdrew something.

    Raises NotEntitled, and NotFound for a version that was not published.
    """
    found = own_list(caller=caller, domain=domain, slug=slug)
    if version is None:
        return list_propagation(hash_list=found, now=now, days=days)
    release = published_releases().filter(list=found, version=version).first()
    if release is None:
        raise errors.NotFound(f"{found.name} has no published version {version}.")
    seen = over_hubs(found=[withdrawal(release=release, now=now)], now=now, members=True)
    return Propagation(found, now, tuple(seen))


def list_propagation(*, hash_list: HashList, now: datetime, days: int = SHOWN_DAYS) -> Propagation:
    releases = withdrawing(now - timedelta(days=days)).filter(list=hash_list).order_by("-version")[:MOST]
    seen = over_hubs(found=withdrawals(releases=releases, now=now), now=now, members=True)
    return Propagation(hash_list, now, tuple(seen))


def withdrawals_seen(*, of: uuid.UUID | None, since: datetime, name: str = "") -> QuerySet[Release]:
    """For people: releases with withdrawals, the newest first, of the lists of an organisation (None: of all), or of
    the one list of that name among them.
    """
    rows = withdrawing(since).order_by("-published_at")
    if of is not None:
        rows = rows.filter(list__publisher__organisation=of)
    domain, _, slug = name.partition("/")
    return rows.filter(list__publisher__domain=domain, list__slug=slug) if name else rows


def release_seen(*, of: uuid.UUID | None, name: str, version: int) -> Release | None:
    """The published release, under the same conditions."""
    domain, _, slug = name.partition("/")
    rows = published_releases().filter(list__publisher__domain=domain, list__slug=slug, version=version)
    return (rows if of is None else rows.filter(list__publisher__organisation=of)).first()


def withdrawing(since: datetime) -> QuerySet[Release]:
    """Published releases that took something back."""
    return published_releases().filter(withdrawals__gt=0, published_at__gte=since)


def published_releases() -> QuerySet[Release]:
    return Release.objects.select_related("list__publisher").filter(state=Release.State.PUBLISHED)


def withdrawal(*, release: Release, now: datetime) -> Withdrawal:
    """`release` with its list."""
    return withdrawals(releases=[release], now=now)[0]


def withdrawals(*, releases: Iterable[Release], now: datetime) -> list[Withdrawal]:
    """One query for all releases, and one for the organisations of all of them."""
    rows = list(releases)
    found = progress(rows, now)
    organisations = Organisation.objects.in_bulk({row.organisation for each in found.values() for row in each})
    made = []
    for release in rows:
        deadline = published(release) + timedelta(hours=release.list.deadline_hours)
        late = now > deadline
        states = [member_state(organisations[row.organisation], row, release, late=late) for row in found[release.pk]]
        members, mirrors = (tuple(it for it in states if is_hub(it) is wanted) for wanted in (False, True))
        made.append(Withdrawal(release, deadline, members, mirrors))
    return made


def is_hub(state: MemberState) -> bool:
    return state.organisation.kind == Organisation.Kind.HUB


def over_hubs(*, found: Sequence[Withdrawal], now: datetime, members: bool) -> list[Withdrawal]:
    """The same with the other hubs; `members`: with theirs one by one, which are for the list's hotline alone."""
    standings = elsewhere(releases=[it.release for it in found], now=now, members=members)
    return [replace(it, hubs=tuple(hub_states(it.mirrors, standings[it.release.pk]))) for it in found]


def hub_states(mirrors: Sequence[MemberState], standings: Sequence[HubStanding]) -> Iterator[HubState]:
    """Hubs that are entitled and of which nothing is known but that, last."""
    own = {mirror.organisation.pk: mirror for mirror in mirrors}
    for standing in standings:
        mirror = own.pop(standing.organisation, None) if standing.organisation else None
        yield HubState(mirror, standing)
    for mirror in own.values():
        yield HubState(mirror, HubStanding((mirror.organisation.name,), mirror.organisation.pk))


def member_state(organisation: Organisation, row: Progress, release: Release, *, late: bool) -> MemberState:
    purged_at = row.first_purged_at if (row.purged_now or 0) >= release.version else None
    if row.applied_at is not None:
        state = "purged" if purged_at is not None else "applied"
    elif not row.has_access:
        state = "left"
    else:
        state = "overdue" if late else "waiting"
    return MemberState(organisation, row.applied_at, purged_at, state, row.reminded_at)


def published(release: Release) -> datetime:
    return release.published_at or release.created_at


def entitled_at(hash_list: HashList, moment: datetime | OuterRef) -> QuerySet[Subscription]:
    """Who had access at that moment, whatever became of it since. An organisation has one row for each moment."""
    return Subscription.objects.filter(*had_access(moment), list=hash_list).order_by("organisation__name")


def had_access(moment: datetime | OuterRef | F) -> tuple[Q, Q, Q]:
    """Conditions on a subscription, all of which are to hold."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=moment)
    open_then = Q(closed_at=None) | Q(closed_at__gt=moment)
    return lasting, open_then, Q(entitled_at__lte=moment)


class Progress(NamedTuple):
    """What an organisation has stated of a release."""

    organisation: uuid.UUID
    applied_at: datetime | None
    first_purged_at: datetime | None
    purged_now: int | None
    has_access: bool
    reminded_at: datetime | None


def progress(releases: Collection[Release], now: datetime) -> dict[uuid.UUID, list[Progress]]:
    """By release, of each organisation that was entitled to it, when it first stated what covers it; a few index probes
    each.

    Statements never go back in version. In what is purged they may: only one that still stands counts.
    """
    organisation, version = OuterRef("organisation"), OuterRef("list__releases__version")
    stated = Acknowledgement.objects.filter(list=OuterRef("list"), organisation=organisation)
    applied = stated.filter(version__gte=version).order_by("version", "received_at")
    purged = stated.filter(purged__gte=version).order_by("purged", "received_at")
    newest = stated.order_by("-version", "-received_at")
    access = Subscription.objects.filter(
        in_force(now),
        list=OuterRef("list"),
        organisation=organisation,
        organisation__state=Organisation.State.ACTIVE,
    )
    reminded = Reminder.objects.filter(release=OuterRef("list__releases"), organisation=organisation, recipients__gt=0)
    # In one call, so that all of it is about the same release.
    moment = F("list__releases__published_at")
    rows = Subscription.objects.filter(*had_access(moment), list__releases__in=[row.pk for row in releases])
    found: dict[uuid.UUID, list[Progress]] = {row.pk: [] for row in releases}
    for release, *row in rows.order_by("organisation__name").values_list(
        "list__releases",
        "organisation",
        Subquery(applied.values("received_at")[:1]),
        Subquery(purged.values("received_at")[:1]),
        Subquery(newest.values("purged")[:1]),
        Exists(access),
        Subquery(reminded.values("sent_at")[:1]),
    ):
        found[release].append(Progress(*row))
    return found
