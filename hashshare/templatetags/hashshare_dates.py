"""Dates by which a table is narrowed. The stock ones read all of its rows to leave out days on which nothing was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.text import capfirst

register = template.Library()

LEVELS = ("year", "month", "day")


@register.inclusion_tag("admin/date_hierarchy.html")
def date_steps(cl: Any) -> dict[str, Any]:
    """From the first row's to the last row's year, then month, then day, by two looks into an index."""
    field, ends = cl.date_hierarchy, _ends(cl)
    asked = [int(cl.params[f"{field}__{level}"]) for level in LEVELS if f"{field}__{level}" in cl.params]
    if not asked and ends is None:
        return {"show": False}
    chosen, back = asked, _back(cl, field, asked) if asked else None
    if ends is not None:
        chosen = _narrowed(asked, *ends)
    if len(chosen) == len(LEVELS):
        only = [{"title": _title(chosen)}] if asked else []
        return {"show": bool(asked), "back": back, "choices": only}
    choices = [{"link": _link(cl, field, step), "title": _title(step)} for step in _steps(chosen, ends)]
    return {"show": True, "back": back, "choices": choices}


def _ends(cl: Any) -> tuple[date, date] | None:
    """Days of the first and the last row; PostgreSQL finds the least of a join by reading all of it."""
    rows = cl.queryset.values_list(cl.date_hierarchy, flat=True)
    first, last = (rows.order_by(order).first() for order in (cl.date_hierarchy, f"-{cl.date_hierarchy}"))
    return (_day(first), _day(last)) if first and last else None


def _day(moment: date | datetime) -> date:
    return timezone.localtime(moment).date() if isinstance(moment, datetime) else moment


def _narrowed(asked: list[int], first: date, last: date) -> list[int]:
    """What was asked for, and on from there whatever leaves no choice."""
    both = [[day.year, day.month, day.day] for day in (first, last)]
    chosen = list(asked)
    while len(chosen) < len(LEVELS) and both[0][: len(chosen) + 1] == both[1][: len(chosen) + 1]:
        chosen.append(both[0][len(chosen)])
    return chosen


def _steps(chosen: list[int], ends: tuple[date, date] | None) -> list[list[int]]:
    if ends is None:
        return []
    at = len(chosen)
    first, last = ([day.year, day.month, day.day][at] for day in ends)
    return [[*chosen, number] for number in range(first, last + 1)]


def _back(cl: Any, field: str, asked: list[int]) -> dict[str, str]:
    return {"link": _link(cl, field, asked[:-1]), "title": _title(asked[:-1]) if asked[1:] else "All dates"}


def _link(cl: Any, field: str, step: list[int]) -> str:
    names = {f"{field}__{level}": number for level, number in zip(LEVELS, step, strict=False)}
    return str(cl.get_query_string(names, [f"{field}__"]))


def _title(step: list[int]) -> str:
    if len(step) == 1:
        return str(step[0])
    form = "YEAR_MONTH_FORMAT" if len(step) == 2 else "MONTH_DAY_FORMAT"
    return str(capfirst(formats.date_format(date(*([*step, 1])[:3]), form)))
