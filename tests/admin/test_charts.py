"""Where lines, bars, ticks and gaps are drawn."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from hashshare.admin.charts import Chart, Reading, bar_chart, line_chart, round_ticks, short_number

FIRST = date(2026, 11, 1)


def readings(*values: int | None) -> list[Reading]:
    return [Reading(FIRST + timedelta(days=n), value) for n, value in enumerate(values)]


def draw_line(*values: int | None) -> Chart:
    return line_chart(readings(*values), title="t", description="d")


def draw_bars(*values: int | None) -> Chart:
    return bar_chart(readings(*values), title="t", description="d")


@pytest.mark.parametrize(
    ("largest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (7, [0, 2, 4, 6, 8]),
        (40, [0, 10, 20, 30, 40]),
        (41, [0, 20, 40, 60]),
        (1_481_656, [0, 500_000, 1_000_000, 1_500_000]),
    ],
)
def test_it_puts_ticks_at_round_numbers_that_reach_the_largest(largest: int, ticks: list[int]) -> None:
    assert round_ticks(largest) == ticks


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9_999, "9,999"), (500_000, "500 k"), (1_500_000, "1.5 M"), (2_000_000_000, "2 bn")],
)
def test_it_shortens_numbers_on_the_axis(value: int, text: str) -> None:
    assert short_number(value) == text


def test_it_breaks_a_line_where_a_day_has_no_figure() -> None:
    chart = draw_line(1, 2, None, None, 3, 4)
    assert len(chart.lines) == 2
    assert [gap.label for gap in chart.gaps] == ["No figures: 3 Nov to 4 Nov"]


def test_it_draws_a_lone_day_as_a_dot() -> None:
    chart = draw_line(None, 5, None)
    assert (chart.lines, len(chart.dots), len(chart.gaps)) == ((), 1, 2)


def test_it_draws_bars_from_nought_in_proportion() -> None:
    chart = draw_bars(10, 20, 0)
    ten, twenty, nought = chart.bars
    assert twenty.height == pytest.approx(2 * ten.height)
    assert nought.height == 0
    assert {round(bar.y + bar.height, 6) for bar in chart.bars} == {chart.floor}
    assert ten.label == "1 Nov: 10"


def test_it_leaves_out_the_bar_of_a_day_without_a_figure() -> None:
    chart = draw_bars(10, None, 0)
    assert len(chart.bars) == 2
    assert len(chart.gaps) == 1


@pytest.mark.parametrize("days", [1, 30, 90, 365])
def test_it_keeps_everything_inside_the_drawing(days: int) -> None:
    chart = draw_bars(*range(days))
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right + 1 for bar in chart.bars)
    assert all(bar.y >= 0 for bar in chart.bars)
    assert len(chart.x_ticks) <= 6


def test_it_draws_nothing_but_axes_without_figures() -> None:
    chart = draw_line(None, None)
    assert (chart.lines, chart.dots, len(chart.gaps)) == ((), (), 1)
    assert [tick.label for tick in chart.y_ticks] == ["0", "1"]
