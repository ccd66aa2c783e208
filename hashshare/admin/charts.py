"""Geometry of the charts that templates draw as SVG.

Pure: numbers in, coordinates and labels out. Colours, sizes of type and line widths stand in the stylesheet, because
the content security policy allows no inline style. No request, no table, no wording of a particular page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 180
LEFT: Final = 56
RIGHT: Final = 12
TOP: Final = 12
BOTTOM: Final = 28
Y_TICKS: Final = 4
X_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """One day's value; None where nothing was recorded, which is not the same as nought."""

    day: date
    value: int | None


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis; `at` is a coordinate in the drawing's units."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `label` is what a pointer resting on it is told."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template needs to draw one measure over days, by line or by bars."""

    title: str
    description: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[str, ...] = ()
    dots: tuple[Bar, ...] = ()
    bars: tuple[Bar, ...] = ()
    gaps: tuple[Bar, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


def line_chart(readings: Sequence[Reading], *, title: str, description: str) -> Chart:
    """A line per unbroken run of readings: a day without one breaks the line. `readings` has one per day, in order."""
    ticks = _y_ticks(readings)
    runs = [[(_middle(readings, i), _height(value, ticks[-1])) for i, value in run] for run in _runs(readings)]
    return Chart(
        title,
        description,
        _x_ticks(readings),
        _placed(ticks),
        lines=tuple("M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in runs if len(run) > 1),
        dots=tuple(Bar(run[0][0], run[0][1], 0, 0, "") for run in runs if len(run) == 1),
        gaps=_gaps(readings),
    )


def bar_chart(readings: Sequence[Reading], *, title: str, description: str) -> Chart:
    """A bar per day, from nought. `readings` has one per day, in order."""
    ticks = _y_ticks(readings)
    width = max(_step(readings) * 0.72, 0.8)
    bars = (
        Bar(_middle(readings, i) - width / 2, y, width, HEIGHT - BOTTOM - y, f"{_day(reading.day)}: {reading.value:,}")
        for i, reading in enumerate(readings)
        if reading.value is not None
        for y in (_height(reading.value, ticks[-1]),)
    )
    return Chart(title, description, _x_ticks(readings), _placed(ticks), bars=tuple(bars), gaps=_gaps(readings))


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def round_ticks(largest: int) -> list[int]:
    """Round whole numbers from nought that reach `largest`, about four of them, in steps of 1, 2 or 5 times ten^n."""
    largest = max(largest, 1)
    rough = largest / Y_TICKS
    power: int = 10 ** max(math.floor(math.log10(rough)), 0)
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
    return list(range(0, largest + step if largest % step else largest + 1, step))


def short_number(value: int) -> str:
    """A number for an axis: 1,200,000 is `1.2 M`; the table beside it has the whole one."""
    for size, letter in ((10**9, "bn"), (10**6, "M"), (10**4, "k")):
        if value >= size:
            return f"{value / (1000 if letter == 'k' else size):.3g} {letter}"
    return f"{value:,}"


def _y_ticks(readings: Sequence[Reading]) -> list[int]:
    return round_ticks(max((r.value for r in readings if r.value is not None), default=0))


def _placed(ticks: list[int]) -> tuple[Tick, ...]:
    return tuple(Tick(_height(value, ticks[-1]), short_number(value), "end") for value in ticks)


def _x_ticks(readings: Sequence[Reading]) -> tuple[Tick, ...]:
    every = max(1, math.ceil(len(readings) / X_TICKS))
    return tuple(Tick(_middle(readings, i), _day(readings[i].day)) for i in range(every // 2, len(readings), every))


def _gaps(readings: Sequence[Reading]) -> tuple[Bar, ...]:
    """A pale band over each run of days without a reading."""
    step, gaps, start = _step(readings), [], None
    for i, reading in enumerate([*readings, Reading(date.max, 0)]):
        if reading.value is None and start is None:
            start = i
        elif reading.value is not None and start is not None:
            label = f"No figures: {_day(readings[start].day)} to {_day(readings[i - 1].day)}"
            gaps.append(Bar(LEFT + start * step, TOP, (i - start) * step, HEIGHT - BOTTOM - TOP, label))
            start = None
    return tuple(gaps)


def _runs(readings: Sequence[Reading]) -> Iterator[list[tuple[int, int]]]:
    run: list[tuple[int, int]] = []
    for i, reading in enumerate(readings):
        if reading.value is not None:
            run.append((i, reading.value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _step(readings: Sequence[Reading]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(len(readings), 1)


def _middle(readings: Sequence[Reading], i: int) -> float:
    return LEFT + (i + 0.5) * _step(readings)


def _height(value: int, top: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
