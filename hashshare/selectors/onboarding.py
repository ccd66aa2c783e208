"""Where each organisation stands on its way from the invitation to the first sync or release, and since when.

A few queries for all of them, each of which looks at an index: a member that has acknowledged something has arrived, so
only of those that have not is it asked when something was first delivered to them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, Min, OuterRef, QuerySet, Subquery

from hashshare.models import (
    Acknowledgement,
    Delivery,
    HashList,
    Invitation,
    Metadata,
    Organisation,
    OrganisationKey,
    Person,
    Release,
    Subscription,
)

MOST: Final = 500

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "hotline": (
        "invited",
        "key enrolled",
        "people in",
        "second factor",
        "root published",
        "first list",
        "first release",
        "first grant",
    ),
    "member": (
        "invited",
        "key enrolled",
        "people in",
        "second factor",
        "list asked for",
        "list granted",
        "first sync",
        "first applied",
    ),
    "partner": ("invited", "people in", "second factor"),
    "hub": ("invited", "key enrolled"),
}
"""In their order, by kind of organisation. One may come before another; the first that lacks is the next."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """`at` is None also where something is done and nobody asked when."""

    name: str
    done: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Onboarding:
    """`code_until` is the end of an open code for a first key, None if there is none."""

    organisation: Organisation
    milestones: tuple[Milestone, ...]
    code_until: datetime | None

    @property
    def next(self) -> Milestone | None:
        """The first that is not done; None when the organisation has arrived."""
        return next((each for each in self.milestones if not each.done), None)

    @property
    def done(self) -> int:
        return sum(each.done for each in self.milestones)

    @property
    def since(self) -> datetime | None:
        """When the last step so far was done: since then it waits for the next."""
        return max((each.at for each in self.milestones if each.at is not None), default=None)


def onboardings(*, now: datetime, kind: str = "") -> list[Onboarding]:
    """Of organisations that are not suspended, by name; the hub's own sandbox is none, nor is a hotline that is at home
    at another hub and asks nothing of this one.
    """
    away = (Organisation.State.SUSPENDED, Organisation.State.MIRRORED)
    rows = Organisation.objects.exclude(state__in=away).exclude(publishers__sandbox=True)
    found = list(_with_applied(rows.filter(kind=kind) if kind else rows, now)[:MOST])
    moments = [_keys(), _people(), _roots(), _lists(), _subscriptions(), _grants()]
    moments.append(_first_deliveries(row.pk for row in found if row.kind == "member" and not _of(row, "applied")))
    return [_onboarding(row, moments) for row in found]


Moments = Mapping[uuid.UUID, Mapping[str, datetime | None]]
"""Organisation -> step -> when it was done. A query each over a table that is small, rather than one over all: the
database plans that as something large, and spends longer on the plan than on the rows."""


def _with_applied(rows: QuerySet[Organisation], now: datetime) -> QuerySet[Organisation]:
    own = {"organisation": OuterRef("pk")}
    codes = Invitation.objects.filter(**own, kind="organisation", used_at=None, expires_at__gt=now)
    return (
        rows.only("name", "kind", "created_at")
        .order_by("name")
        .annotate(
            applied=Exists(Acknowledgement.objects.filter(**own)),
            code_until=Subquery(codes.order_by("-expires_at").values("expires_at")[:1]),
        )
    )


def _keys() -> Moments:
    rows = OrganisationKey.objects.order_by().values_list("organisation")
    return {pk: {"key enrolled": at} for pk, at in rows.annotate(at=Min("created_at"))}


def _people() -> Moments:
    rows = Person.objects.filter(is_active=True, organisation__isnull=False).order_by().values_list("organisation")
    found = rows.annotate(at=Min("created_at"), factor=Min("authenticator__made_at"))
    return {pk: {"people in": at, "second factor": factor} for pk, at, factor in found if pk is not None}


def _roots() -> Moments:
    rows = Metadata.objects.filter(role="root", version=1).order_by().values_list("publisher__organisation")
    return {pk: {"root published": at} for pk, at in rows.annotate(at=Min("accepted_at"))}


def _lists() -> Moments:
    firsts = Release.objects.filter(list=OuterRef("pk"), state=Release.State.PUBLISHED, version=1)
    rows = HashList.objects.annotate(released=Subquery(firsts.values("published_at")[:1])).order_by("created_at")
    found: dict[uuid.UUID, dict[str, datetime | None]] = {}
    for pk, made, released in rows.values_list("publisher__organisation", "created_at", "released"):
        its = found.setdefault(pk, {"first list": made, "first release": None})
        its["first release"] = min(filter(None, (its["first release"], released)), default=None)
    return found


def _subscriptions() -> Moments:
    rows = Subscription.objects.order_by().values_list("organisation")
    found = rows.annotate(asked=Min("requested_at"), granted=Min("entitled_at"))
    return {pk: {"list asked for": asked, "list granted": granted} for pk, asked, granted in found}


def _grants() -> Moments:
    rows = Subscription.objects.filter(entitled_at__isnull=False).order_by()
    found = rows.values_list("list__publisher__organisation").annotate(at=Min("entitled_at"))
    return {pk: {"first grant": at} for pk, at in found}


def _first_deliveries(organisations: Iterable[uuid.UUID]) -> Moments:
    wanted = list(organisations)
    if not wanted:
        return {}
    rows = Delivery.objects.filter(organisation__in=wanted).order_by().values_list("organisation")
    return {pk: {"first sync": at} for pk, at in rows.annotate(at=Min("at"))}


def _onboarding(row: Organisation, moments: Iterable[Moments]) -> Onboarding:
    applied = bool(_of(row, "applied"))
    found: dict[str, datetime | None] = {"invited": row.created_at}
    for each in moments:
        found |= each.get(row.pk, {})
    done = {name for name, moment in found.items() if moment is not None}
    done |= {"first sync", "first applied"} if applied else set()
    milestones = tuple(Milestone(name, name in done, found.get(name)) for name in STEPS[row.kind])
    return Onboarding(row, milestones, _of(row, "code_until"))


def _of(row: Organisation, name: str) -> Any:
    """What the query found beside the row's own columns."""
    return getattr(row, name)
