"""What the coalition statistics measure, each with the definition that is shown under its figure.

Pure: readings in, figures out. Whether a measure is a level or a count decides how it is added up over a period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from hashshare.admin.charts import Chart, Reading, bar_chart, days_between, line_chart


@dataclass(frozen=True, slots=True)
class Measure:
    """`kind` is "level" (the state at the end of a day) or "count" (what happened within it).

    `drawn_as` is the title of its chart; empty for what changes too seldom to be worth one.
    """

    metric: str
    name: str
    unit: str
    kind: Literal["level", "count"]
    definition: str
    drawn_as: str = ""


MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        "members",
        "Members",
        "organisations",
        "level",
        "Companies and other organisations that receive lists and whose access is in force.",
        "Members",
    ),
    Measure(
        "hotlines",
        "Hotlines",
        "organisations",
        "level",
        "Organisations that publish lists and whose access is in force.",
    ),
    Measure(
        "countries",
        "Countries",
        "countries",
        "level",
        "Countries in which at least one organisation whose access is in force is based.",
    ),
    Measure(
        "lists",
        "Lists",
        "lists",
        "level",
        "Hash lists with a published version that their hotline has not closed.",
        "Lists in force",
    ),
    Measure(
        "entries",
        "Entries",
        "entries",
        "level",
        "Entries on all lists together; a lapsed one counts until its hotline renews the base. "
        "An item that is on two lists counts twice.",
        "Entries in force",
    ),
    Measure(
        "releases",
        "Releases",
        "releases",
        "count",
        "New versions of a list that were verified and published. Rejected ones do not count.",
        "Releases a day",
    ),
    Measure(
        "withdrawals",
        "Withdrawals",
        "entries",
        "count",
        "Entries that hotlines took back in published releases, for whatever reason.",
        "Entries withdrawn a day",
    ),
    Measure(
        "deliveries",
        "Deliveries",
        "deliveries",
        "count",
        "Times that a list's current version was handed to an organisation in full. Polls without news do not count.",
        "Deliveries a day",
    ),
)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A table that divides some measures up. `prefix` is what the rows' dimension begins with."""

    title: str
    prefix: str
    head: str
    columns: tuple[tuple[str, str], ...]
    definition: str


BREAKDOWNS: Final[tuple[Breakdown, ...]] = (
    Breakdown(
        "By country",
        "country:",
        "Country",
        (("organisations", "Organisations"), ("deliveries", "Deliveries")),
        "Organisations of any kind whose access is in force, by the country they are based in, and what they received.",
    ),
    Breakdown(
        "By hotline",
        "hotline:",
        "Hotline",
        (("releases", "Releases"), ("upserts", "Added or changed"), ("withdrawals", "Withdrawn")),
        "What each hotline published in the period: releases, and the entries in them.",
    ),
    Breakdown(
        "By list",
        "list:",
        "List",
        (("entries", "Entries"),),
        "Entries in force on each list of the catalogue. Private lists are not named here.",
    ),
    Breakdown(
        "Why entries were withdrawn",
        "reason:",
        "Reason",
        (("withdrawals", "Entries withdrawn"),),
        "As the hotline said, in the four words that members see: incorrect, superseded, expired, other.",
    ),
)


@dataclass(frozen=True, slots=True)
class BrokenDown:
    """A breakdown with its rows: a name, and a value for each column (None where there is none)."""

    breakdown: Breakdown
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]


def broken_down(breakdown: Breakdown, found: Mapping[str, Mapping[str, int]]) -> BrokenDown:
    """`found` maps each name to its values by metric."""
    metrics = [metric for metric, _ in breakdown.columns]
    rows = ((name, tuple(values.get(metric) for metric in metrics)) for name, values in found.items())
    return BrokenDown(breakdown, tuple(rows))


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure over a period, ready to be shown: the value to quote, the change, the chart and its table."""

    measure: Measure
    value: int | None
    change: str
    chart: Chart
    readings: tuple[Reading, ...]

    @property
    def newest_first(self) -> tuple[Reading, ...]:
        return self.readings[::-1]


@dataclass(frozen=True, slots=True)
class Period:
    """`days` days, the last of which is `until`."""

    days: int
    until: date

    @property
    def since(self) -> date:
        return self.until - timedelta(days=self.days - 1)

    @property
    def before(self) -> Period:
        return Period(self.days, self.since - timedelta(days=1))

    def readings(self, by_day: Mapping[date, int]) -> tuple[Reading, ...]:
        return tuple(Reading(day, by_day.get(day)) for day in days_between(self.since, self.until))


def figure(measure: Measure, by_day: Mapping[date, int], period: Period) -> Figure:
    """`by_day` holds the measure's value on every day that has one, in the period and in the one before."""
    readings, before = period.readings(by_day), period.before.readings(by_day)
    draw = line_chart if measure.kind == "level" else bar_chart
    return Figure(
        measure,
        _value(measure, readings),
        _change(measure, readings, before, period),
        draw(readings, title=measure.drawn_as, description=describe(readings)),
        readings,
    )


def describe(readings: Sequence[Reading]) -> str:
    """A chart in words, for those who do not see it."""
    known = [reading.value for reading in readings if reading.value is not None]
    span = f"From {in_words(readings[0].day)} to {in_words(readings[-1].day)}"
    if not known:
        return f"{span}: no figures."
    missing = len(readings) - len(known)
    gaps = f"; {missing} {'day' if missing == 1 else 'days'} without figures" if missing else ""
    return f"{span}: lowest {min(known):,}, highest {max(known):,}, last {known[-1]:,}{gaps}."


def in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _value(measure: Measure, readings: Sequence[Reading]) -> int | None:
    known = [reading.value for reading in readings if reading.value is not None]
    if not known:
        return None
    return known[-1] if measure.kind == "level" else sum(known)


def _change(measure: Measure, readings: Sequence[Reading], before: Sequence[Reading], period: Period) -> str:
    now, then = _value(measure, readings), _value(measure, before)
    if now is None:
        return "No figures in this period"
    if then is None:
        return "No figures for the period before"
    if measure.kind == "count":
        return f"{then:,} in the {period.days} days before"
    day = in_words([reading.day for reading in before if reading.value is not None][-1])
    return f"{now - then:+,} since {day}" if now != then else f"No change since {day}"
