"""The page *Coalition statistics*: counts of the whole coalition from the daily rows, for reading only; no hash."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.measures import BREAKDOWNS, MEASURES, BrokenDown, Figure, Period, broken_down, figure
from hashshare.selectors.statistics import breakdown, daily_statistics, newest_day

PERIODS: Final = {30: "30 days", 90: "90 days", 365: "a year"}
DEFAULT_PERIOD: Final = 30
LATE_AFTER: Final = timedelta(days=2)


def coalition_statistics(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`. Operators and observers only."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_statistics(request):
            raise PermissionDenied
        as_of = newest_day()
        period = Period(_days(request), as_of or timezone.now().date())
        figures = _figures(period)
        if request.GET.get("format") == "csv":
            return _csv(figures, period)
        context = {**site.each_context(request), **_context(figures, period, as_of)}
        return TemplateResponse(request, "hashshare/statistics.html", context)

    return view


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked.isdecimal() and int(asked) in PERIODS else DEFAULT_PERIOD


def _figures(period: Period) -> list[Figure]:
    by_metric: dict[str, dict[date, int]] = defaultdict(dict)
    for row in daily_statistics(since=period.before.since, until=period.until, dimension=""):
        by_metric[row.metric][row.day] = row.value
    return [figure(measure, by_metric[measure.metric], period) for measure in MEASURES]


def _tables(period: Period) -> list[BrokenDown]:
    return [broken_down(b, breakdown(prefix=b.prefix, since=period.since, until=period.until)) for b in BREAKDOWNS]


def _context(figures: Iterable[Figure], period: Period, as_of: date | None) -> dict[str, Any]:
    today = timezone.now().date()
    return {
        "title": "Coalition statistics",
        "figures": figures,
        "tables": _tables(period),
        "period": period,
        "periods": PERIODS,
        "as_of": as_of,
        "day_is_over": as_of != today,
        "late": as_of is not None and today - as_of > LATE_AFTER,
    }


def _csv(figures: Iterable[Figure], period: Period) -> HttpResponse:
    """A row per day and measure; an empty value where nothing was recorded."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"coalition-statistics-{period.since}-{period.until}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    rows = csv.writer(response)
    rows.writerow(["day", "measure", "kind", "unit", "value", "definition"])
    for f in figures:
        m = f.measure
        for r in f.readings:
            value = "" if r.value is None else r.value
            rows.writerow([r.day.isoformat(), m.metric, m.kind, m.unit, value, m.definition])
    return response
