"""A period's figures out of the daily rows and the members' statements, as they may be shown. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    apart = Apart(frozenset().union(*(parts_apart(axis, raw, period.start, until) for axis in AXES)))
    shown = [figure for place, count in raw.items() if (figure := disclosed(place, count, apart, raw)) is not None]
    return [*shown, *pooled(raw, apart), *lag_figures(period.start, until, apart, raw)]


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


@dataclass(frozen=True, slots=True)
class Apart:
    """Scopes whose figures about members may be shown beside those of the coalition."""

    scopes: frozenset[str]

    def shows(self, scope: str) -> bool:
        return scope == WHOLE or scope in self.scopes


def parts_apart(axis: str, raw: Mapping[Place, Count], since: date, until: date) -> frozenset[str]:
    """Of one axis, by the most members that there were at a time.

    Where something was done by members that were gone at the end of each day, at least one stands behind it.
    """
    rows = DailyStatistic.objects.filter(
        metric="members", dimension__startswith=f"{axis}:", day__gte=since, day__lte=until
    )
    populations: dict[str, int] = {}
    for place, count in raw.items():
        if place.metric in OF_MEMBERS and place.scope.startswith(f"{axis}:"):
            populations[place.scope] = max(populations.get(place.scope, 0), min(count.private, 1))
    for dimension, most in rows.order_by().values_list("dimension").annotate(Max("private")):
        populations[dimension] = max(populations.get(dimension, 0), most)
    return shown_apart(populations, overlapping=axis == "hotline")


def disclosed(place: Place, count: Count, apart: Apart, raw: Mapping[Place, Count]) -> Figure | None:
    """None where the figure's mere presence would say that there is a member which has not agreed to be named."""
    if place.metric not in OF_MEMBERS:
        return Figure(place, count.value)
    if apart.shows(place.scope):
        return Figure(place, count.shown)
    if not is_known(place.scope, raw):
        return None
    return Figure(place, count.exact if place.metric == "members" else None, withheld=True)


def is_known(scope: str, raw: Mapping[Place, Count]) -> bool:
    """Whether it is no secret that there are members in a scope: a hotline is known, elsewhere one must be named."""
    return scope.startswith("hotline:") or raw.get(Place("members", scope), Count(0)).exact > 0


def pooled(raw: Mapping[Place, Count], apart: Apart) -> Iterator[Figure]:
    """Members that are not told apart, so that the parts add up to the whole."""
    for axis in ("country", "sector"):
        scopes = [place.scope for place in raw if place.metric == "members" and place.scope.startswith(f"{axis}:")]
        hidden = [raw[Place("members", scope)].private for scope in scopes if not apart.shows(scope)]
        if hidden:
            yield Figure(Place("members", WHOLE, f"pooled:{axis}"), rounded(sum(hidden)))


def lag_figures(since: date, until: date, apart: Apart, raw: Mapping[Place, Count]) -> Iterator[Figure]:
    for lag in lags(since=since, until=until):
        metric = "withdrawal_applied" if lag.withdrawals else "applied"
        scope = AXES[lag.axis](lag.part) if lag.axis else WHOLE
        few = lag.private > 0 and lag.organisations < FEWEST
        hidden = few or not apart.shows(scope)
        if hidden and scope != WHOLE and not is_known(scope, raw):
            continue
        yield Figure(Place(f"{metric}_median", scope), None if hidden else minutes(lag.median), hidden)
        yield Figure(Place(f"{metric}_p90", scope), None if hidden else minutes(lag.p90), hidden)


def minutes(lag: timedelta) -> int:
    """Seconds, rounded up to whole minutes: to the second it might be told whose it is."""
    return 60 * max(-(-int(lag.total_seconds()) // 60), 1)
