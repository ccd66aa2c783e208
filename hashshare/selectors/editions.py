"""The figures of periods as they are shown, for the page, its report and its exports. All are rounded already."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from django.db.models import Q

from hashshare.models import PeriodFigure, StatisticPeriod

COMPARED: Final = ("members", "hotlines", "entries", "releases", "upserts", "withdrawals", "expired", "deliveries")
"""What is shown side by side for every country, sector and hotline."""


class Row(NamedTuple):
    """One figure of the edition with the id `period`. `withheld`: all or some of it is not shown."""

    period: int
    metric: str
    scope: str
    part: str
    value: int | None
    withheld: bool


def editions(*, kind: str) -> list[StatisticPeriod]:
    """Every edition of every period of this kind, the latest first: a few hundred after years."""
    rows = StatisticPeriod.objects.filter(kind=kind)
    return list(rows.order_by("-start", "-revision"))


def figures(*, edition: StatisticPeriod, history: Iterable[StatisticPeriod], scope: str) -> list[Row]:
    """In one query: what is undivided in the whole history of the scope; of the edition itself also what is divided,
    and what every other scope has.
    """
    past = Q(period__in=[row.pk for row in history], scope=scope, part="")
    own = Q(period=edition, scope=scope)
    others = Q(period=edition, part="", metric__in=COMPARED)
    rows = PeriodFigure.objects.filter(past | own | others).order_by("scope", "metric", "part")
    return [Row(*values) for values in rows.values_list("period", "metric", "scope", "part", "value", "withheld")]


def every_figure(*, edition: StatisticPeriod) -> list[Row]:
    """Of every scope and part, in order."""
    rows = PeriodFigure.objects.filter(period=edition).order_by("metric", "scope", "part")
    return [Row(*values) for values in rows.values_list("period", "metric", "scope", "part", "value", "withheld")]
