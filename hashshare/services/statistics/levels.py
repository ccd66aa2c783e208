"""What is there now: who takes part, what is on the lists, who is current."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Q, Subquery

from hashshare.models import (
    Acknowledgement,
    HashList,
    ListCount,
    Organisation,
    OverlapCount,
    Release,
    Subscription,
)
from hashshare.selectors.entitlements import in_force
from hashshare.selectors.organisations import is_private
from hashshare.services.statistics.rows import WHOLE, Rows, country, hotline, sector

CURRENT_WITHIN: Final = timedelta(hours=24)
COUNTED: Final = {"member": "members", "hotline": "hotlines", "partner": "partners"}
"""Metric by kind of organisation."""
LEVELS: Final = (
    "organisations",
    *COUNTED.values(),
    "countries",
    "lists",
    "entries",
    "hashes",
    "subscriptions",
    "members_expected",
    "members_current",
)


def levels(now: datetime) -> Rows:
    rows = Rows()
    rows.begin(LEVELS)
    count_organisations(rows)
    count_lists(rows)
    count_overlaps(rows)
    count_subscribers(rows, now)
    return rows


def count_organisations(rows: Rows) -> None:
    found = Organisation.objects.filter(takes_part()).exclude(publishers__sandbox=True)
    countries = set()
    for kind, code, name, private in found.values_list("kind", "country", "sector", is_private()):
        scopes = [WHOLE, country(code)]
        rows.add("organisations", scopes, 1, private=private)
        if kind in COUNTED:
            rows.add(COUNTED[kind], [*scopes, *([sector(name)] if kind == "member" else [])], 1, private=private)
        countries.add(code)
    rows.add("countries", [WHOLE], len(countries))


def takes_part() -> Q:
    """Organisations in force, and hotlines at home at another hub of which a list is served here."""
    served = HashList.objects.filter(publisher__organisation=OuterRef("pk"), state=HashList.State.ACTIVE, version__gt=0)
    state = Organisation.State
    return Q(state=state.ACTIVE) | Q(Exists(served), state=state.MIRRORED)


def count_lists(rows: Rows) -> None:
    """Private lists count in the figures of their hotline, and are named nowhere."""
    found = ListCount.objects.filter(list__state=HashList.State.ACTIVE)
    for it in found.select_related("list__publisher__organisation"):
        publisher = it.list.publisher
        scopes = [WHOLE, country(publisher.organisation.country), hotline(publisher.domain)]
        rows.add("lists", scopes, 1)
        rows.add("entries", scopes, it.entries)
        for algorithm, number in it.hashes.items():
            rows.add("hashes", scopes, number)
            rows.add("hashes", scopes, number, part=f"algorithm:{algorithm}")
        for column, words in it.divided.items():
            for word, number in words.items():
                rows.add("entries", scopes, number, part=f"{column}:{word}")


def count_overlaps(rows: Rows) -> None:
    for it in OverlapCount.objects.all():
        for one, other, number in it.pairs:
            rows.add("overlap", [WHOLE], number, part=f"pair:{it.algorithm} {one} {other}")


class Subscribed(NamedTuple):
    """One subscription in force of a member. `expected`: it has had 24 hours to apply something; `behind`: and has not.

    `scopes`: of the member.
    """

    organisation: uuid.UUID
    scopes: tuple[str, ...]
    private: bool
    hotline: str
    expected: bool
    behind: bool


def count_subscribers(rows: Rows, now: datetime) -> None:
    """Members by hotline, and those who are current with all their lists, or with all that are of one hotline."""
    by_member: dict[uuid.UUID, list[Subscribed]] = defaultdict(list)
    by_hotline: dict[tuple[uuid.UUID, str], list[Subscribed]] = defaultdict(list)
    for it in subscribed(now):
        by_member[it.organisation].append(it)
        by_hotline[it.organisation, it.hotline].append(it)
    rows.add("subscriptions", [WHOLE], sum(map(len, by_member.values())))
    for mine in by_member.values():
        count_current(rows, mine[0].scopes, mine)
    for (_, domain), mine in by_hotline.items():
        rows.add("members", [hotline(domain)], 1, private=mine[0].private)
        count_current(rows, [hotline(domain)], mine)


def count_current(rows: Rows, scopes: Iterable[str], mine: list[Subscribed]) -> None:
    """One member, by its subscriptions that count here; one that had nothing to apply is not expected."""
    expected = [it for it in mine if it.expected]
    if expected:
        current = not any(it.behind for it in expected)
        rows.add("members_expected", scopes, 1, private=mine[0].private)
        rows.add("members_current", scopes, int(current), private=mine[0].private)


def subscribed(now: datetime) -> Iterator[Subscribed]:
    """A few index probes for each subscription."""
    since = now - CURRENT_WITHIN
    published = Release.objects.filter(list=OuterRef("list"), state=Release.State.PUBLISHED, published_at__lte=since)
    applied = Acknowledgement.objects.filter(list=OuterRef("list"), organisation=OuterRef("organisation"))
    member = Q(organisation__kind=Organisation.Kind.MEMBER, organisation__state=Organisation.State.ACTIVE)
    real = Q(list__state=HashList.State.ACTIVE, list__publisher__sandbox=False)
    found = Subscription.objects.filter(in_force(now), member, real).values_list(
        "organisation",
        "organisation__country",
        "organisation__sector",
        is_private("organisation__"),
        "list__publisher__domain",
        "entitled_at",
        Subquery(published.order_by("-version").values("version")[:1]),
        Subquery(applied.order_by("-version").values("version")[:1]),
    )
    for pk, code, name, private, domain, entitled_at, due, version in found:
        expected = due is not None and entitled_at is not None and entitled_at <= since
        scopes = (WHOLE, country(code), sector(name))
        yield Subscribed(pk, scopes, private, domain, expected, expected and (version or 0) < due)
