"""Making the figures of weeks, months and quarters: anew every day while they run, then frozen, then only corrected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Min

from hashshare.models import DailyStatistic, PeriodFigure, Person, StatisticPeriod
from hashshare.periods import KINDS, Period, period_of
from hashshare.services.counting import LAPSES_KEPT, count_entries, due_lists
from hashshare.services.runs import spared
from hashshare.services.statistics.daily import roll_up_statistics, write_rows
from hashshare.services.statistics.figures import figures_of
from hashshare.services.statistics.happenings import happenings
from hashshare.wire import errors
from hashshare.wire.lapsing import day_of

FREEZE_AFTER: Final = timedelta(hours=6)
"""After the end of a period: its last hours are counted by then."""


def publish_periods(*, now: datetime) -> int:
    """Make whatever edition is due; how many were made. After an outage it makes up for all that were missed.

    What is shown of a running period is as old as the last day that is over: by the minute, what one member does could
    be told from what was shown before. Only on a hub's first day it is that day itself.
    """
    days = DailyStatistic.objects.aggregate(first=Min("day"), last=Max("day"))
    if days["first"] is None:
        return 0
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    counted = DailyStatistic.objects.filter(day__lte=yesterday, metric="members").aggregate(first=Min("day"))["first"]
    as_of = yesterday if counted is not None else days["last"]
    if counted is None:
        count_first(now=now)
    made = 0
    for period in periods_between(counted or as_of, as_of):
        with spared("The figures of %s could not be made.", period.label):
            made += make_edition(period=period, as_of=as_of, now=now)
    return made


def count_first(*, now: datetime) -> None:
    """On a hub's first day: what was published since the last count would be shown as nought entries."""
    if due_lists(day_of(now)):
        count_entries(now=now)
        roll_up_statistics(day=day_of(now), now=now)


def periods_between(first: date, last: date) -> Iterator[Period]:
    for kind in KINDS:
        period = period_of(kind, first)
        while period.start <= last:
            yield period
            period = period.after


@transaction.atomic
def make_edition(*, period: Period, as_of: date, now: datetime) -> bool:
    """The first edition of a period, or its only one anew; whether there was anything to do.

    1. Lock the edition, so that it is made by one at a time. One that is frozen stays as it is.
    2. Leave one alone that is as new as it can be.
    3. Replace its figures, and freeze it if the period has been over for some hours.
    """
    until = min(as_of, period.end)
    row, new = StatisticPeriod.objects.get_or_create(
        kind=period.kind,
        start=period.start,
        revision=1,
        defaults={"label": period.label, "as_of": until, "made_at": now},
    )
    row = StatisticPeriod.objects.select_for_update().get(pk=row.pk)
    over = now >= end_of(period.end) + FREEZE_AFTER
    whole = not new and row.as_of == until and row.made_at >= end_of(until)
    if row.frozen_at is not None or (whole and not over):
        return False
    row.as_of, row.made_at, row.frozen_at = until, now, now if over else None
    row.save(update_fields=["as_of", "made_at", "frozen_at"])
    row.figures.all().delete()
    keep_figures(row, period, until)
    return True


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


@transaction.atomic
def correct_period(*, edition: StatisticPeriod, reason: str, by: Person, now: datetime) -> StatisticPeriod:
    """A new edition of a frozen period, counted again from the hub's records as far as these are kept; the earlier ones
    stay. Levels of past days cannot be counted again and stay as they were kept.

    Raises UsageError without a reason, and for a period that is not frozen; Conflict when it was corrected meanwhile.
    """
    if not reason.strip():
        raise errors.UsageError("A correction says why.", next_step="Give the reason; it stands beside the figures.")
    found = StatisticPeriod.objects.select_for_update().filter(kind=edition.kind, start=edition.start)
    newest = max(found, key=lambda row: row.revision)
    if newest.frozen_at is None:
        raise errors.UsageError(f"{newest.label} is not frozen yet.", next_step="It is made anew every day by itself.")
    if newest.pk != edition.pk:
        raise errors.Conflict(f"{newest.label} was corrected meanwhile.", next_step="Look at the newest revision.")
    period = Period(edition.kind, edition.start)  # type: ignore[arg-type]  # one of its choices
    recount(period, now)
    made = StatisticPeriod.objects.create(
        kind=period.kind,
        start=period.start,
        label=period.label,
        revision=newest.revision + 1,
        as_of=period.end,
        made_at=now,
        frozen_at=now,
        reason=reason.strip()[:500],
        corrected_by=by,
    )
    keep_figures(made, period, period.end)
    return made


def recount(period: Period, now: datetime) -> None:
    """What happened on each day, where all that it is counted from is still kept."""
    day = max(period.start, now.astimezone(UTC).date() - LAPSES_KEPT + timedelta(days=1))
    while day <= period.end:
        write_rows(day, happenings(day))
        day += timedelta(days=1)


def keep_figures(row: StatisticPeriod, period: Period, as_of: date) -> None:
    PeriodFigure.objects.bulk_create(
        [
            PeriodFigure(
                period=row,
                metric=figure.place.metric,
                scope=figure.place.scope,
                part=figure.place.part,
                value=figure.value,
                withheld=figure.withheld,
            )
            for figure in figures_of(period, as_of=as_of)
        ],
        batch_size=2000,
    )
