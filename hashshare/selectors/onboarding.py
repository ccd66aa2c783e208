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
    Authenticator,
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
    """`code_until` is the end of an open code for a first key, None if there is none; `people` counts active accounts'
    presence only.
    """

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
    """Of organisations that are not suspended, by name; the hub's own sandbox is none."""
    rows = Organisation.objects.exclude(state=Organisation.State.SUSPENDED).exclude(publishers__sandbox=True)
    found = list(_annotated(rows.filter(kind=kind) if kind else rows, now)[:MOST])
    synced = _first_deliveries(row.pk for row in found if row.kind == "member" and not _of(row, "applied"))
    return [_onboarding(row, synced.get(row.pk)) for row in found]


def _annotated(rows: QuerySet[Organisation], now: datetime) -> QuerySet[Organisation]:
    own = {"organisation": OuterRef("pk")}
    published = {"publisher__organisation": OuterRef("pk")}
    lists = Subscription.objects.filter(list__publisher__organisation=OuterRef("pk"), entitled_at__isnull=False)
    firsts = Release.objects.filter(list__publisher__organisation=OuterRef("pk"), state="published", version=1)
    codes = Invitation.objects.filter(**own, kind="organisation", used_at=None, expires_at__gt=now)
    return rows.order_by("name").annotate(
        key_at=_first(OrganisationKey.objects.filter(**own), "created_at"),
        person_at=_first(Person.objects.filter(**own, is_active=True), "created_at"),
        factor_at=_first(
            Authenticator.objects.filter(person__organisation=OuterRef("pk"), person__is_active=True), "made_at"
        ),
        root_at=_first(Metadata.objects.filter(**published, role="root", version=1), "accepted_at"),
        list_at=_first(HashList.objects.filter(**published), "created_at"),
        release_at=_first(firsts, "published_at"),
        grant_at=_first(lists, "entitled_at"),
        asked_at=_first(Subscription.objects.filter(**own), "requested_at"),
        granted_at=_first(Subscription.objects.filter(**own, entitled_at__isnull=False), "entitled_at"),
        applied=Exists(Acknowledgement.objects.filter(**own)),
        code_until=Subquery(codes.order_by("-expires_at").values("expires_at")[:1]),
    )


def _first(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by(column).values(column)[:1])


def _first_deliveries(organisations: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    wanted = list(organisations)
    if not wanted:
        return {}
    rows = Delivery.objects.filter(organisation__in=wanted).order_by().values_list("organisation")
    return dict(rows.annotate(first=Min("at")))


def _onboarding(row: Organisation, synced: datetime | None) -> Onboarding:
    applied = bool(_of(row, "applied"))
    moments: dict[str, datetime | None] = {
        "invited": row.created_at,
        "key enrolled": _of(row, "key_at"),
        "people in": _of(row, "person_at"),
        "second factor": _of(row, "factor_at"),
        "root published": _of(row, "root_at"),
        "first list": _of(row, "list_at"),
        "first release": _of(row, "release_at"),
        "first grant": _of(row, "grant_at"),
        "list asked for": _of(row, "asked_at"),
        "list granted": _of(row, "granted_at"),
        "first sync": synced,
    }
    done = {name for name, moment in moments.items() if moment is not None}
    done |= {"first sync", "first applied"} if applied else set()
    milestones = tuple(Milestone(name, name in done, moments.get(name)) for name in STEPS[row.kind])
    return Onboarding(row, milestones, _of(row, "code_until"))


def _of(row: Organisation, name: str) -> Any:
    """What the query found beside the row's own columns."""
    return getattr(row, name)
