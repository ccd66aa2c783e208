"""Rolling up the coalition's daily figures. Rows of a day are written again until the day is over, then stay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from hashshare.models import DailyStatistic, Delivery, HashList, Organisation, Release, Subscription

Row = tuple[str, str, int]
"""Metric, dimension ("" for the coalition), value."""

LEVELS = ("organisations", "members", "hotlines", "countries", "lists", "entries", "subscriptions")


def roll_up_recent(*, now: datetime) -> None:
    """Today so far, and yesterday's counts once more, so that its last hours are in them."""
    today = now.astimezone(UTC).date()
    roll_up_statistics(day=today - timedelta(days=1), now=now)
    roll_up_statistics(day=today, now=now)


@transaction.atomic
def roll_up_statistics(*, day: date, now: datetime) -> int:
    """Write the rows of `day` (UTC); how many. Levels are only known for the present, so a past day keeps its own."""
    rows = list(counts(day))
    if day == now.astimezone(UTC).date():
        rows += list(levels())
    DailyStatistic.objects.bulk_create(
        [DailyStatistic(day=day, metric=metric, dimension=name[:200], value=value) for metric, name, value in rows],
        update_conflicts=True,
        unique_fields=["day", "metric", "dimension"],
        update_fields=["value"],
    )
    return len(rows)


def levels() -> Iterator[Row]:
    """What is there now."""
    active = Organisation.objects.filter(state=Organisation.State.ACTIVE).exclude(publishers__sandbox=True)
    published = HashList.objects.filter(state=HashList.State.ACTIVE, publisher__sandbox=False)
    yield "organisations", "", active.count()
    yield "members", "", active.filter(kind=Organisation.Kind.MEMBER).count()
    yield "hotlines", "", active.filter(kind=Organisation.Kind.HOTLINE).count()
    yield "countries", "", active.values("country").distinct().count()
    yield "lists", "", published.count()
    yield "entries", "", published.aggregate(total=Sum("entries"))["total"] or 0
    yield (
        "subscriptions",
        "",
        Subscription.objects.filter(state=Subscription.State.ACTIVE, list__publisher__sandbox=False).count(),
    )
    for country, number in active.values_list("country").annotate(number=Count("pk")).order_by("country"):
        yield "organisations", f"country:{country}", number
    for row in published.select_related("publisher").exclude(visibility=HashList.Visibility.PRIVATE):
        yield "entries", f"list:{row.name}", row.entries


def counts(day: date) -> Iterator[Row]:
    """What happened in the day."""
    releases = Release.objects.filter(
        within("published_at", day), state=Release.State.PUBLISHED, list__publisher__sandbox=False
    )
    # A hotline's own tool reads its list back after each release: that delivers nothing to anybody.
    deliveries = Delivery.objects.filter(within("at", day), list__publisher__sandbox=False).exclude(
        organisation=F("list__publisher__organisation")
    )
    yield from release_counts(releases)
    totals = deliveries.aggregate(number=Count("pk"), size=Sum("bytes"))
    yield "deliveries", "", totals["number"]
    yield "delivered_bytes", "", totals["size"] or 0
    by_country = deliveries.values_list("organisation__country").annotate(number=Count("pk"))
    for country, number in by_country.order_by("organisation__country"):
        yield "deliveries", f"country:{country}", number


def release_counts(releases: QuerySet[Release]) -> Iterator[Row]:
    totals = releases.aggregate(number=Count("pk"), upserts=Sum("upserts"), withdrawals=Sum("withdrawals"))
    yield "releases", "", totals["number"]
    yield "upserts", "", totals["upserts"] or 0
    yield "withdrawals", "", totals["withdrawals"] or 0
    reasons: dict[str, int] = {}
    for found in releases.values_list("withdrawal_reasons", flat=True):
        for reason, number in found.items():
            reasons[reason] = reasons.get(reason, 0) + int(number)
    for reason, number in sorted(reasons.items()):
        yield "withdrawals", f"reason:{reason}", number
    hotlines = releases.values_list("list__publisher__domain").annotate(
        number=Count("pk"), upserts=Sum("upserts"), withdrawals=Sum("withdrawals")
    )
    for domain, number, upserts, withdrawals in hotlines.order_by("list__publisher__domain"):
        yield "releases", f"hotline:{domain}", number
        yield "upserts", f"hotline:{domain}", upserts
        yield "withdrawals", f"hotline:{domain}", withdrawals


def within(column: str, day: date) -> Q:
    """That a timestamp column lies inside the UTC day."""
    start = datetime.combine(day, time(), UTC)
    return Q(**{f"{column}__gte": start, f"{column}__lt": start + timedelta(days=1)})
