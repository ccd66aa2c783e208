"""A period's figures out of the daily rows and the members' statements, as they may be shown. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.db.models import Max, Sum

from hashshare.disclosure import FEWEST, Count, rounded, shown_apart
from hashshare.models import DailyStatistic
from hashshare.periods import Period
from hashshare.selectors.lags import lags
from hashshare.services.statistics.rows import WHOLE, Place, country, hotline, read_dimension, sector

AXES: Final = {"country": country, "sector": sector, "hotline": hotline}
"""What the coalition is divided by; a member may take lists of several hotlines, so those parts overlap."""

LEVELS: Final = (
    "members",
    "hotlines",
    "partners",
    "lists",
    "entries",
    "hashes",
    "overlap",
    "members_expected",
    "members_current",
)
COUNTS: Final = ("releases", "upserts", "withdrawals", "expired", "deliveries")
OF_MEMBERS: Final = frozenset({"members", "members_expected", "members_current", "deliveries"})
"""Metrics that members stand behind; all others are of hotlines and governments."""


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is what may be shown; None where all of it is withheld."""

    place: Place
    value: int | None
    withheld: bool = False


def figures_of(period: Period, *, as_of: date) -> list[Figure]:
    """Every figure of the period up to the day `as_of`, itself included."""
    until = min(as_of, period.end)
    raw = {**levels_at(period.start, until), **sums(period.start, until)}
    apart = {axis: parts_apart(axis, raw, period.start, until) for axis in AXES}
    shown = [figure for place, count in raw.items() if (figure := disclosed(place, count, apart)) is not None]
    return [*shown, *pooled(raw, apart), *lag_figures(period.start, until, apart)]


def levels_at(since: date, until: date) -> dict[Place, Count]:
    """Of the last day that was counted."""
    rows = DailyStatistic.objects.filter(metric__in=LEVELS, day__gte=since, day__lte=until)
    day = rows.filter(metric="members", dimension=WHOLE).aggregate(last=Max("day"))["last"]
    found = rows.filter(day=day).values_list("metric", "dimension", "value", "private")
    return {read_dimension(metric, at): Count(value, private) for metric, at, value, private in found}


def sums(since: date, until: date) -> dict[Place, Count]:
    rows = DailyStatistic.objects.filter(metric__in=COUNTS, day__gte=since, day__lte=until).order_by()
    found = rows.values_list("metric", "dimension").annotate(Sum("value"), Sum("private"))
    return {read_dimension(metric, at): Count(int(value), int(private)) for metric, at, value, private in found}


def parts_apart(axis: str, raw: dict[Place, Count], since: date, until: date) -> frozenset[str]:
    """The scopes of the axis whose figures about members may be shown, by the most members that there were at a time.

    Where something was done by members that were gone at the end of each day, at least one stands behind it.
    """
    rows = DailyStatistic.objects.filter(
        metric="members", dimension__startswith=f"{axis}:", day__gte=since, day__lte=until
    )
    populations = {place.scope: min(count.private, 1) for place, count in raw.items() if _on(axis, place)}
    for dimension, most in rows.order_by().values_list("dimension").annotate(Max("private")):
        populations[dimension] = max(populations.get(dimension, 0), most)
    return shown_apart(populations, overlapping=axis == "hotline")


def disclosed(place: Place, count: Count, apart: dict[str, frozenset[str]]) -> Figure | None:
    """None for what nobody needs: a withheld figure of nought."""
    axis = place.scope.partition(":")[0]
    if place.metric not in OF_MEMBERS:
        return Figure(place, count.value)
    if place.scope == WHOLE or place.scope in apart[axis]:
        return Figure(place, count.shown)
    if place.metric == "members":
        return Figure(place, count.exact, withheld=True)
    return Figure(place, None, withheld=True)


def pooled(raw: dict[Place, Count], apart: dict[str, frozenset[str]]) -> Iterator[Figure]:
    """Members that are not told apart, so that the parts add up to the whole."""
    for axis in ("country", "sector"):
        hidden = [
            count.private
            for place, count in raw.items()
            if _on(axis, place) and place.metric == "members" and place.scope not in apart[axis]
        ]
        if hidden:
            yield Figure(Place("members", WHOLE, f"pooled:{axis}"), rounded(sum(hidden)))


def lag_figures(since: date, until: date, apart: dict[str, frozenset[str]]) -> Iterator[Figure]:
    for metric, withdrawals in (("applied", False), ("withdrawal_applied", True)):
        for axis in (WHOLE, *AXES):
            for lag in lags(since=since, until=until, axis=axis, withdrawals=withdrawals):
                scope = AXES[axis](lag.part) if axis else WHOLE
                few = lag.private > 0 and lag.organisations < FEWEST
                hidden = few or (scope != WHOLE and scope not in apart[axis])
                yield Figure(Place(f"{metric}_median", scope), None if hidden else minutes(lag.median), hidden)
                yield Figure(Place(f"{metric}_p90", scope), None if hidden else minutes(lag.p90), hidden)


def minutes(lag: timedelta) -> int:
    """Seconds, rounded up to whole minutes: to the second it might be told whose it is."""
    return 60 * max(-(-int(lag.total_seconds()) // 60), 1)


def _on(axis: str, place: Place) -> bool:
    return place.metric in OF_MEMBERS and place.scope.startswith(f"{axis}:")
