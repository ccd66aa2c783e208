"""Geometry of the charts that templates draw as SVG.

Pure: numbers in, coordinates and labels out. Colours, sizes of type and line widths stand in the stylesheet, because
the content security policy allows no inline style. No request, no table, no wording of a particular page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 180
LEFT: Final = 56
RIGHT: Final = 32
TOP: Final = 12
BOTTOM: Final = 28
Y_TICKS: Final = 4
X_TICKS: Final = 5

NAMED_RIGHT: Final = 96
"""Room at the right of lines for their names."""
LINE_HEIGHT: Final = 16
ROW_HEIGHT: Final = 28
ROW_LABELS: Final = 176
ROW_VALUES: Final = 80
LONGEST_LABEL: Final = 26
"""Characters of a bar's name that fit before it; the table has all of them."""

Words = Callable[[int], str]
"""How a value is written."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value on the axis, such as that of a week; None where there is none, which is not the same as nought."""

    label: str
    value: int | None


@dataclass(frozen=True, slots=True)
class Series:
    """Readings under one name; the series of a chart have the same labels."""

    name: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis; `at` is a coordinate in the drawing's units."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, or a point without width; `label` is what a pointer resting on it is told."""

    x: float
    y: float
    width: float
    height: float
    label: str
    series: int = 1


@dataclass(frozen=True, slots=True)
class Line:
    """An unbroken run; `series` counts from 1 and picks the colour."""

    path: str
    series: int = 1


@dataclass(frozen=True, slots=True)
class Name:
    """A text in the drawing, beside what it names."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    series: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template needs to draw lines, columns or bars."""

    title: str
    description: str
    x_ticks: tuple[Tick, ...] = ()
    y_ticks: tuple[Tick, ...] = ()
    lines: tuple[Line, ...] = ()
    dots: tuple[Bar, ...] = ()
    bars: tuple[Bar, ...] = ()
    gaps: tuple[Bar, ...] = ()
    names: tuple[Name, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM


@dataclass(frozen=True, slots=True)
class Frame:
    """Where values and labels lie: `count` places between left and right, values from 0 to `top`."""

    count: int
    top: int
    right: float = WIDTH - RIGHT
    ticks: tuple[int, ...] = field(default=())

    def middle(self, i: int) -> float:
        return LEFT + (i + 0.5) * self.step

    def height(self, value: int) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top

    @property
    def step(self) -> float:
        return (self.right - LEFT) / max(self.count, 1)


def line_chart(
    series: Sequence[Series], *, title: str, description: str, words: Words | None = None, ticks: Sequence[int] = ()
) -> Chart:
    """A line per unbroken run of readings: one without a value breaks it. Names stand at the end of each line if there
    are several. `ticks`: of the value axis, where round numbers of the unit are not round numbers.
    """
    frame = _frame(series, ticks, named=len(series) > 1)
    lines, dots, names = [], [], []
    for number, one in enumerate(series, 1):
        for run in _runs(one.readings):
            points = [(frame.middle(i), frame.height(value)) for i, value in run]
            if len(points) > 1:
                lines.append(Line("M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points), number))
            else:
                dots.append(Bar(points[0][0], points[0][1], 0, 0, "", number))
        if len(series) > 1 and (last := _last(one.readings)) is not None:
            names.append(Name(frame.right + 8, frame.height(last), one.name, series=number))
    return Chart(
        title,
        description,
        _x_ticks(series[0].readings, frame),
        _y_ticks(frame, words or short_number),
        lines=tuple(lines),
        dots=tuple(dots),
        gaps=_gaps(series, frame),
        names=_apart(names),
        right=int(frame.right),
    )


def column_chart(readings: Sequence[Reading], *, title: str, description: str, words: Words | None = None) -> Chart:
    """A column per reading, from nought."""
    series = [Series("", tuple(readings))]
    frame = _frame(series, (), named=False)
    width = max(frame.step * 0.72, 0.8)
    written = words or (lambda value: f"{value:,}")
    bars = (
        Bar(frame.middle(i) - width / 2, y, width, HEIGHT - BOTTOM - y, f"{reading.label}: {written(reading.value)}")
        for i, reading in enumerate(readings)
        if reading.value is not None
        for y in (frame.height(reading.value),)
    )
    return Chart(
        title,
        description,
        _x_ticks(readings, frame),
        _y_ticks(frame, words or short_number),
        bars=tuple(bars),
        gaps=_gaps(series, frame),
    )


def bar_chart(readings: Sequence[Reading], *, title: str, description: str, words: Words | None = None) -> Chart:
    """A bar for each reading, one under the other, its name before it and its value behind it; from nought."""
    written = words or (lambda value: f"{value:,}")
    largest = max((reading.value or 0 for reading in readings), default=0) or 1
    room, bars, names = WIDTH - ROW_LABELS - ROW_VALUES, [], []
    for i, reading in enumerate(readings):
        y = i * ROW_HEIGHT + 4
        width = room * (reading.value or 0) / largest
        shown = "\N{EN DASH}" if reading.value is None else written(reading.value)
        bars.append(Bar(ROW_LABELS, y, width, ROW_HEIGHT - 8, f"{reading.label}: {shown}"))
        names.append(Name(ROW_LABELS - 8, y + 14, short_label(reading.label), "end"))
        names.append(Name(ROW_LABELS + width + 8, y + 14, shown))
    height = max(len(readings), 1) * ROW_HEIGHT
    return Chart(title, description, bars=tuple(bars), names=tuple(names), height=height, left=ROW_LABELS, floor=height)


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


def short_label(text: str) -> str:
    """As much of it as fits before a bar."""
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _frame(series: Sequence[Series], ticks: Sequence[int], *, named: bool) -> Frame:
    largest = max((it.value for one in series for it in one.readings if it.value is not None), default=0)
    chosen = tuple(ticks) or tuple(round_ticks(largest))
    return Frame(len(series[0].readings), chosen[-1], WIDTH - (NAMED_RIGHT if named else RIGHT), chosen)


def _y_ticks(frame: Frame, words: Words) -> tuple[Tick, ...]:
    return tuple(Tick(frame.height(value), words(value), "end") for value in frame.ticks)


def _x_ticks(readings: Sequence[Reading], frame: Frame) -> tuple[Tick, ...]:
    """The last one always, for that is what is quoted."""
    every = max(1, math.ceil(len(readings) / X_TICKS))
    places = range((len(readings) - 1) % every, len(readings), every)
    return tuple(Tick(frame.middle(i), readings[i].label) for i in places)


def _gaps(series: Sequence[Series], frame: Frame) -> tuple[Bar, ...]:
    """A pale band where no series has a value."""
    labels = [reading.label for reading in series[0].readings]
    empty = [all(one.readings[i].value is None for one in series) for i in range(len(labels))]
    gaps, start = [], None
    for i, missing in enumerate([*empty, False]):
        if missing and start is None:
            start = i
        elif not missing and start is not None:
            span = labels[start] if i - start == 1 else f"{labels[start]} to {labels[i - 1]}"
            x, width = LEFT + start * frame.step, (i - start) * frame.step
            gaps.append(Bar(x, TOP, width, HEIGHT - BOTTOM - TOP, f"No figures: {span}"))
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


def _last(readings: Sequence[Reading]) -> int | None:
    return next((reading.value for reading in reversed(readings) if reading.value is not None), None)


def _apart(names: Sequence[Name]) -> tuple[Name, ...]:
    """Moved up where two would lie over each other."""
    placed: list[Name] = []
    for name in sorted(names, key=lambda it: -it.y):
        y = min([name.y, *(it.y - LINE_HEIGHT for it in placed)])
        placed.append(Name(name.x, y, name.text, name.anchor, name.series))
    return tuple(placed)
