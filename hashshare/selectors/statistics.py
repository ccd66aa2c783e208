"""The coalition's daily figures. Only counts: nothing here can lead back to an entry."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet, Sum

from hashshare.models import DailyStatistic

METRICS = (
    "organisations",
    "members",
    "hotlines",
    "countries",
    "lists",
    "entries",
    "subscriptions",
    "releases",
    "upserts",
    "withdrawals",
    "deliveries",
    "delivered_bytes",
)
LEVELS = METRICS[:7]
"""The first seven are levels at the end of the day, the rest counts within it."""


def daily_statistics(*, since: date, until: date, dimension: str | None = None) -> QuerySet[DailyStatistic]:
    """Rows from `since` to `until`, both included; `dimension` "" for the coalition as a whole, None for all."""
    rows = DailyStatistic.objects.filter(day__gte=since, day__lte=until).order_by("day", "metric", "dimension")
    return rows if dimension is None else rows.filter(dimension=dimension)


def newest_figures() -> dict[str, int]:
    """The coalition-wide value of every metric on the newest day that has rows; empty before the first roll-up."""
    newest = newest_day()
    if newest is None:
        return {}
    rows = DailyStatistic.objects.filter(day=newest, dimension="")
    return dict(rows.values_list("metric", "value"))


def newest_day() -> date | None:
    """The last day that has figures; None before the first roll-up."""
    return DailyStatistic.objects.order_by("-day").values_list("day", flat=True).first()


def breakdown(*, prefix: str, since: date, until: date) -> dict[str, dict[str, int]]:
    """Metric to value, by what follows `prefix` in the dimension, such as the code in `country:NL`.

    Levels are those of the day `until`; counts are summed from `since` to `until`, both included.
    """
    rows = daily_statistics(since=since, until=until).filter(dimension__startswith=prefix)
    found: dict[str, dict[str, int]] = {}
    of_last_day = rows.filter(metric__in=LEVELS, day=until).values_list("dimension", "metric", "value")
    summed = rows.exclude(metric__in=LEVELS).order_by().values_list("dimension", "metric")
    for dimension, metric, value in [*of_last_day, *summed.annotate(total=Sum("value"))]:
        found.setdefault(dimension.removeprefix(prefix), {})[metric] = int(value)
    return dict(sorted(found.items()))
