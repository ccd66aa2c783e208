"""The figures of periods as they are shown, for the page, its report and its exports. All are rounded already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hashshare.models import PeriodFigure, StatisticPeriod
from hashshare.periods import Period

SHOWN: Final = {"week": 13, "month": 13, "quarter": 9}
"""How many periods a chart goes back, the chosen one included."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as it stands in an edition; `withheld`: all or some of it is not shown."""

    value: int | None
    withheld: bool


def newest_edition(*, kind: str) -> StatisticPeriod | None:
    """Of the latest period of this kind."""
    return StatisticPeriod.objects.filter(kind=kind).order_by("-start", "-revision").first()


def editions_of(*, period: Period) -> list[StatisticPeriod]:
    """All of one period, the newest first."""
    rows = StatisticPeriod.objects.filter(kind=period.kind, start=period.start)
    return list(rows.select_related("corrected_by").order_by("-revision"))


def editions_until(*, edition: StatisticPeriod) -> list[StatisticPeriod]:
    """This edition and the newest of each of the periods before it that a chart shows, oldest first."""
    rows = StatisticPeriod.objects.filter(kind=edition.kind, start__lt=edition.start)
    newest = rows.order_by("-start", "-revision").distinct("start")[: SHOWN[edition.kind] - 1]
    return [*reversed(newest), edition]


def known_periods(*, kind: str, limit: int) -> list[StatisticPeriod]:
    """The newest edition of each period, the latest first."""
    rows = StatisticPeriod.objects.filter(kind=kind).order_by("-start", "-revision").distinct("start")
    return list(rows[:limit])


def figures(*, editions: Iterable[StatisticPeriod], scope: str, parted: StatisticPeriod) -> QuerySet[PeriodFigure]:
    """Of one scope: the undivided figures of all `editions`, and those of `parted` with their parts."""
    return PeriodFigure.objects.filter(
        Q(period=parted) | Q(part=""), period__in=[row.pk for row in editions], scope=scope
    )


def scope_figures(*, edition: StatisticPeriod, metrics: Iterable[str]) -> QuerySet[PeriodFigure]:
    """The undivided figures of every country, sector and hotline; nothing of the coalition as a whole."""
    return PeriodFigure.objects.filter(period=edition, part="", metric__in=list(metrics)).exclude(scope="")
