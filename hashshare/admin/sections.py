"""What the page *Coalition statistics* shows of a sheet, from top to bottom: tiles, then sections of charts and tables.

Pure: a sheet in, titles, charts and rows of text out. The printable report shows the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hashshare.admin.charts import Chart, Reading, Series, bar_chart, column_chart, line_chart
from hashshare.admin.marks import DASH, duration, number
from hashshare.admin.measures import MEASURES, NOT_STATED, PARTS, TOO_FEW, Measure
from hashshare.admin.sheets import Sheet, Shown, percent
from hashshare.countries import country_name
from hashshare.wire.vocabulary import AGE_BANDS, MEDIA, SCHEMES

MOST_BARS: Final = 10
"""In one chart; the table under it has them all."""
PERIOD_WORDS: Final = {"week": "a week", "month": "a month", "quarter": "a quarter"}
DAY: Final = 86_400
LAG_STEPS: Final = (60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
ORDERS: Final[dict[str, Sequence[str]]] = {
    "category": [f"{scheme} {word}" for scheme, words in SCHEMES.items() for word in words],
    "age_band": AGE_BANDS,
    "media": MEDIA,
}
"""Divisions that have an order of their own; others go by size."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure to quote."""

    name: str
    value: str
    unit: str
    change: str
    definition: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart with its table, or a table alone. Cells after the first are numbers as text."""

    slug: str
    title: str
    definition: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chart: Chart | None = None
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    slug: str
    title: str
    plots: tuple[Plot, ...]


# --- Tiles --------------------------------------------------------------------------------------------------------


def tiles(sheet: Sheet, *, running: bool) -> list[Tile]:
    """Six at most; what a scope does not have is left out."""
    names = ["members", "lists" if sheet.axis == "hotline" else "hotlines", "entries", "withdrawals", "applied_median"]
    if sheet.axis == "sector":
        names = ["members", "deliveries", "applied_median", "withdrawal_applied_median"]
    made = [tile(sheet, MEASURES[name], running=running) for name in names]
    return [*made, current_tile(sheet)]


def tile(sheet: Sheet, measure: Measure, *, running: bool) -> Tile:
    now, then = sheet.get(measure.metric), sheet.get_before(measure.metric)
    label = sheet.before.label if sheet.before else ""
    return Tile(
        measure.name,
        written(measure, now),
        measure.unit if now and now.value is not None else "",
        change(measure, now, then, label, running=running),
        measure.definition + (f" {TOO_FEW}" if now and now.withheld else ""),
    )


def current_tile(sheet: Sheet) -> Tile:
    """A share, with the two numbers that it is made of."""
    measure, whole = MEASURES["members_current"], sheet.get("members_expected")
    now, then = sheet.get("members_current"), sheet.get_before("members_current")
    before = sheet.get_before("members_expected")
    share = percent(now.value, whole.value) if now and whole else None
    was = percent(then.value, before.value) if then and before else None
    value = DASH if share is None else f"{share} %"
    unit = (
        "" if share is None or now is None or whole is None else f"{number(now.value)} of {number(whole.value)} members"
    )
    change = f"{was} % in {sheet.before.label}" if was is not None and sheet.before else no_comparison(now, sheet)
    return Tile(measure.name, value, unit, change, measure.definition + (f" {TOO_FEW}" if now and now.withheld else ""))


def no_comparison(now: Shown | None, sheet: Sheet) -> str:
    if now is None:
        return "No figures in this period"
    return f"No figures for {sheet.before.label}" if sheet.before else "No period before this one"


def written(measure: Measure, shown: Shown | None) -> str:
    if shown is None or shown.value is None:
        return DASH
    return duration(shown.value) if measure.kind == "lag" else number(shown.value)


def change(measure: Measure, now: Shown | None, then: Shown | None, label: str, *, running: bool) -> str:
    """Against the period before, out of what is shown of both."""
    if now is None:
        return "No figures in this period"
    if now.value is None:
        return "Too few members to be shown"
    if not label:
        return "No period before this one"
    if then is None:
        return f"No figures for {label}"
    if then.value is None:
        return f"Not shown for {label}"
    if measure.kind == "level":
        return f"{now.value - then.value:+,} against {label}" if now.value != then.value else f"As in {label}"
    whole = "the whole of " if running and measure.kind == "count" else ""
    return f"{written(measure, then)} in {whole}{label}"


# --- Sections -----------------------------------------------------------------------------------------------------


def sections(sheet: Sheet) -> list[Section]:
    """In the order of the page; plots of what the scope does not have are left out."""
    made = (
        Section("who", "Who takes part", tuple(who(sheet))),
        Section("what", "What is shared", tuple(what(sheet))),
        Section("arrival", "How fast it arrives", tuple(arrival(sheet))),
        Section("withdrawals", "What was withdrawn, and how fast it is gone", tuple(withdrawn(sheet))),
    )
    return [section for section in made if section.plots]


def who(sheet: Sheet) -> Iterator[Plot]:
    yield from over_time(sheet, "members", title="Members")
    if sheet.axis == "":
        for by in ("country", "sector"):
            yield from compared(sheet, "members", by, f"Members by {by}", sheet.parts("members", "pooled").get(by))
    if sheet.axis in {"", "country"}:
        yield from several_over_time(
            sheet, {"hotlines": "Hotlines", "partners": "Partners"}, slug="public", title="Hotlines and partners"
        )


def what(sheet: Sheet) -> Iterator[Plot]:
    yield from over_time(sheet, "entries", title="Entries in force")
    yield from divided(sheet, "hashes", "algorithm", "Hashes by algorithm")
    yield from divided(sheet, "entries", "category", "Entries by category")
    yield from divided(sheet, "entries", "age_band", "Entries by age band")
    yield from divided(sheet, "entries", "media", "Entries by media")
    yield from divided(sheet, "entries", "origin", "Entries by origin")
    span = PERIOD_WORDS[sheet.edition.kind]
    yield from over_time(sheet, "upserts", title=f"Entries added or changed, {span}", columns=True)
    yield from over_time(sheet, "expired", title=f"Entries expired, {span}", columns=True)
    if sheet.axis == "":
        yield from by_hotline(sheet)
        yield from overlap(sheet, sheet.parts("overlap", "pair"))


def arrival(sheet: Sheet) -> Iterator[Plot]:
    span = PERIOD_WORDS[sheet.edition.kind]
    yield from lag_over_time(sheet, "applied", "From publication to use")
    yield from current_over_time(sheet)
    yield from over_time(sheet, "deliveries", title=f"Deliveries, {span}", columns=True)
    if sheet.axis == "":
        yield from compared(sheet, "deliveries", "country", "Deliveries by country of the member")


def withdrawn(sheet: Sheet) -> Iterator[Plot]:
    yield from over_time(
        sheet, "withdrawals", title=f"Entries withdrawn, {PERIOD_WORDS[sheet.edition.kind]}", columns=True
    )
    yield from divided(sheet, "withdrawals", "reason", "Why entries were withdrawn")
    yield from lag_over_time(sheet, "withdrawal_applied", "From withdrawal to acknowledgement")


# --- Plots --------------------------------------------------------------------------------------------------------


def over_time(sheet: Sheet, metric: str, *, title: str, columns: bool = False) -> Iterator[Plot]:
    readings = sheet.readings(metric)
    if all(reading.value is None for reading in readings):
        return
    measure, described = MEASURES[metric], describe(readings, number)
    chart = (
        column_chart(readings, title=title, description=described)
        if columns
        else line_chart([Series(title, readings)], title=title, description=described)
    )
    rows = tuple((it.label, number(it.value)) for it in reversed(readings))
    yield Plot(metric, title, measure.definition, ("Period", measure.unit.capitalize()), rows, chart)


def several_over_time(sheet: Sheet, names: Mapping[str, str], *, slug: str, title: str) -> Iterator[Plot]:
    series = [Series(name, sheet.readings(metric)) for metric, name in names.items()]
    definition = " ".join(MEASURES[metric].definition for metric in names)
    yield from _lines(slug, title, definition, series, number)


def lag_over_time(sheet: Sheet, lag: str, title: str) -> Iterator[Plot]:
    series = [
        Series("half within", sheet.readings(f"{lag}_median")),
        Series("90 % within", sheet.readings(f"{lag}_p90")),
    ]
    definition = f"{MEASURES[f'{lag}_median'].definition} {MEASURES[f'{lag}_p90'].definition}"
    largest = max((it.value for one in series for it in one.readings if it.value is not None), default=0)
    yield from _lines(lag, title, definition, series, duration, ticks=lag_ticks(largest))


def current_over_time(sheet: Sheet) -> Iterator[Plot]:
    readings, measure = sheet.percents("members_current", "members_expected"), MEASURES["members_current"]

    def words(value: int | None) -> str:
        return DASH if value is None else f"{value} %"

    series = [Series("share", readings)]
    title = "Members current within 24 hours, in per cent"
    yield from _lines("current", title, measure.definition, series, words, ticks=(0, 25, 50, 75, 100))


def _lines(
    slug: str,
    title: str,
    definition: str,
    series: Sequence[Series],
    words: Callable[[int | None], str],
    ticks: Sequence[int] = (),
) -> Iterator[Plot]:
    if all(it.value is None for one in series for it in one.readings):
        return
    described = " ".join(f"{one.name}: {describe(one.readings, words)}" for one in series)
    chart = line_chart(
        series, title=title, description=described, words=axis_words(words) if ticks else None, ticks=ticks
    )
    labels = [reading.label for reading in series[0].readings]
    rows = [(label, *(words(one.readings[i].value) for one in series)) for i, label in enumerate(labels)]
    yield Plot(slug, title, definition, ("Period", *(it.name.capitalize() for it in series)), tuple(rows[::-1]), chart)


def axis_words(words: Callable[[int | None], str]) -> Callable[[int], str]:
    """Nought needs no unit."""
    return lambda value: words(value) if value else "0"


def divided(sheet: Sheet, metric: str, by: str, title: str) -> Iterator[Plot]:
    measure = MEASURES[metric]
    yield from _bars(f"{metric}-{by}", title, f"{measure.definition} {PARTS[by]}", measure, sheet.parts(metric, by), by)


def compared(sheet: Sheet, metric: str, by: str, title: str, left: Shown | None = None) -> Iterator[Plot]:
    """By scope. `left`: what cannot be told apart, in one."""
    measure = MEASURES[metric]
    found = sheet.scopes(metric, by)
    note = (
        TOO_FEW.replace("it.", "them.").replace("Not shown", "Some are not shown, or not whole")
        if any(it.withheld for it in found.values())
        else ""
    )
    if left is not None:
        found = {**found, f"\0{_others(by)}": left}
        note = "Where fewer than five members have not agreed to be named, these are counted together."
    yield from _bars(f"{metric}-{by}", title, f"{measure.definition} {PARTS[by]}", measure, found, by, note)


def _others(by: str) -> str:
    return "not told by country" if by == "country" else f"not told by {by}"


def by_hotline(sheet: Sheet) -> Iterator[Plot]:
    """A table: what each hotline has and did."""
    metrics = ("entries", "releases", "upserts", "withdrawals", "expired")
    found = [sheet.scopes(metric, "hotline") for metric in metrics]
    domains = sorted({domain for values in found for domain in values})
    if not domains:
        return
    rows = tuple(
        (it, *(written(MEASURES[m], values.get(it)) for m, values in zip(metrics, found, strict=True)))
        for it in domains
    )
    head = ("Hotline", *(MEASURES[metric].name for metric in metrics))
    definition = "Entries in force at the end of the period, and what happened within it. Definitions as above."
    yield Plot("by-hotline", "By hotline", definition, head, rows, wide=True)


def overlap(sheet: Sheet, pairs: Mapping[str, Shown]) -> Iterator[Plot]:
    """`pairs`: algorithm and the two hotlines, separated by spaces."""
    if not pairs:
        return
    ranked = sorted(pairs.items(), key=lambda it: -(it[1].value or 0))
    rows = [(*key.split(" "), number(shown.value)) for key, shown in ranked]
    cells = tuple((f"{one} and {other}", algorithm, value) for algorithm, one, other, value in rows)
    definition = MEASURES["overlap"].definition
    yield Plot("overlap", "On lists of two hotlines", definition, ("Hotlines", "Key", "Entries"), cells, wide=True)


def _bars(
    slug: str, title: str, definition: str, measure: Measure, found: Mapping[str, Shown], by: str, note: str = ""
) -> Iterator[Plot]:
    if not any(shown.value for shown in found.values()):
        return
    order = ORDERS.get(by)
    ranked = sorted(found, key=lambda word: _rank(word, found[word], order))
    readings = [Reading(name_in(by, word.lstrip("\0")) or NOT_STATED, found[word].value) for word in ranked]
    shown = readings[:MOST_BARS]
    more = f" The chart shows the {MOST_BARS} largest of {len(readings)}." if len(readings) > MOST_BARS else ""
    described = f"{len(readings)} in all; " + ", ".join(f"{it.label} {number(it.value)}" for it in shown) + "."
    chart = bar_chart(shown, title=title, description=described, words=number)
    rows = tuple((it.label, number(it.value)) for it in readings)
    head = (by.replace("_", " ").capitalize(), measure.unit.capitalize())
    yield Plot(slug, title, definition, head, rows, chart, note + more)


def name_in(axis: str, name: str) -> str:
    """As people read it: a country by its name."""
    return country_name(name) if axis == "country" else name


def _rank(word: str, shown: Shown, order: Sequence[str] | None) -> tuple[int, int, str]:
    """What says nothing, and what cannot be told apart, comes last."""
    last = 1 if word in {"", NOT_STATED} or word.startswith("\0") else 0
    if order is None:
        return last, -(shown.value or 0), word
    return last, order.index(word) if word in order else len(order), word


def lag_ticks(largest: int) -> tuple[int, ...]:
    """Round numbers of minutes, hours or days."""
    step = next((it for it in LAG_STEPS if 4 * it >= largest), 30 * DAY * -(-largest // (120 * DAY)))
    return tuple(range(0, max(largest, 1) + step, step))


def describe(readings: Sequence[Reading], words: Callable[[int | None], str]) -> str:
    """A chart in words, for those who do not see it."""
    known = [reading for reading in readings if reading.value is not None]
    span = f"From {readings[0].label} to {readings[-1].label}"
    if not known:
        return f"{span}: no figures."
    values = [reading.value for reading in known if reading.value is not None]
    missing = len(readings) - len(known)
    gaps = f"; {missing} without figures" if missing else ""
    return f"{span}: lowest {words(min(values))}, highest {words(max(values))}, last {words(values[-1])}{gaps}."
