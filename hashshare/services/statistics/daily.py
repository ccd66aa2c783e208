"""Rolling up the coalition's daily figures. Rows of a day are written again until the day is over, then stay."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from hashshare.disclosure import Count
from hashshare.models import DailyStatistic
from hashshare.services.statistics.happenings import happenings
from hashshare.services.statistics.levels import levels
from hashshare.services.statistics.rows import Place


def roll_up_recent(*, now: datetime) -> None:
    """Today so far, and yesterday's counts once more, so that its last hours are in them."""
    today = now.astimezone(UTC).date()
    roll_up_statistics(day=today - timedelta(days=1), now=now)
    roll_up_statistics(day=today, now=now)


@transaction.atomic
def roll_up_statistics(*, day: date, now: datetime) -> int:
    """Write the rows of `day` (UTC); how many there are. Levels are only known for the present, so a past day keeps
    its own.
    """
    rows = happenings(day)
    written = write_rows(day, rows)
    if day == now.astimezone(UTC).date():
        written += write_rows(day, levels(now))
    return written


def write_rows(day: date, rows: Iterable[tuple[Place, Count]]) -> int:
    """Only what has changed, for this is done every minute; rows of the same metrics that are no more are removed."""
    counted = {(place.metric, place.dimension): count for place, count in rows}
    there = DailyStatistic.objects.filter(day=day, metric__in={metric for metric, _ in counted})
    before = {(row.metric, row.dimension): row for row in there}
    changed = [
        DailyStatistic(day=day, metric=metric, dimension=dimension, value=count.value, private=count.private)
        for (metric, dimension), count in counted.items()
        if (row := before.get((metric, dimension))) is None or (row.value, row.private) != (count.value, count.private)
    ]
    gone = [row.pk for place, row in before.items() if place not in counted]
    DailyStatistic.objects.filter(pk__in=gone).delete()
    DailyStatistic.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["day", "metric", "dimension"],
        update_fields=["value", "private"],
        batch_size=2000,
    )
    return len(counted)
