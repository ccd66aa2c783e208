"""Periods and figures of the statistics' pages, as the worker would have made them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from hashshare.models import PeriodFigure, StatisticPeriod
from hashshare.periods import Kind, period_of


def edition(
    *, ago: int = 0, kind: Kind = "week", revision: int = 1, frozen: bool | None = None, reason: str = "", late: int = 0
) -> StatisticPeriod:
    """Of the period so many before the running one, which is as of yesterday (`late` days before)."""
    today = timezone.now().date()
    period = period_of(kind, today)
    for _ in range(ago):
        period = period.before
    is_frozen = bool(ago or revision > 1) if frozen is None else frozen
    as_of = period.end if is_frozen else today - timedelta(days=1 + late)
    return StatisticPeriod.objects.create(
        kind=kind,
        start=period.start,
        label=period.label,
        revision=revision,
        as_of=as_of,
        made_at=timezone.now(),
        frozen_at=midnight(period.after.start) if is_frozen else None,
        reason=reason or ("Counted wrongly." if revision > 1 else ""),
    )


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(6), timezone.now().tzinfo)


def record(
    row: StatisticPeriod, metric: str, value: int | None, *, scope: str = "", part: str = "", withheld: bool = False
) -> None:
    PeriodFigure.objects.create(
        period=row, metric=metric, scope=scope, part=part, value=value, withheld=withheld or value is None
    )
