"""Where lines, columns, bars, ticks and gaps are drawn."""

from __future__ import annotations

import pytest

from hashshare.admin.charts import (
    Chart,
    Reading,
    Series,
    bar_chart,
    column_chart,
    line_chart,
    round_ticks,
    short_label,
    short_number,
)
from hashshare.admin.marks import DASH


def readings(*values: int | None) -> tuple[Reading, ...]:
    return tuple(Reading(f"W{n}", value) for n, value in enumerate(values, 1))


def draw_line(*values: int | None) -> Chart:
    return line_chart([Series("one", readings(*values))], title="t", description="d")


def draw_columns(*values: int | None) -> Chart:
    return column_chart(readings(*values), title="t", description="d")


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


def test_it_breaks_a_line_where_there_is_no_figure() -> None:
    chart = draw_line(1, 2, None, None, 3, 4)
    assert len(chart.lines) == 2
    assert [gap.label for gap in chart.gaps] == ["No figures: W3 to W4"]


def test_it_draws_a_lone_figure_as_a_dot() -> None:
    chart = draw_line(None, 5, None)
    assert (chart.lines, len(chart.dots), len(chart.gaps)) == ((), 1, 2)


def test_it_names_several_lines_at_their_end_without_laying_names_over_each_other() -> None:
    pair = [Series("half within", readings(1, 100)), Series("90 % within", readings(1, 101))]
    chart = line_chart(pair, title="t", description="d")
    assert {name.text for name in chart.names} == {"half within", "90 % within"}
    low, high = sorted(name.y for name in chart.names)
    assert high - low >= 14
    assert [line.series for line in chart.lines] == [1, 2]
    assert all(name.x > chart.right for name in chart.names)


def test_it_marks_a_gap_only_where_no_line_has_a_figure() -> None:
    pair = [Series("a", readings(1, None, None)), Series("b", readings(1, 2, None))]
    assert [gap.label for gap in line_chart(pair, title="t", description="d").gaps] == ["No figures: W3"]


def test_it_draws_columns_from_nought_in_proportion() -> None:
    chart = draw_columns(10, 20, 0)
    ten, twenty, nought = chart.bars
    assert twenty.height == pytest.approx(2 * ten.height)
    assert nought.height == 0
    assert {round(bar.y + bar.height, 6) for bar in chart.bars} == {chart.floor}
    assert ten.label == "W1: 10"


def test_it_leaves_out_the_column_of_a_period_without_a_figure() -> None:
    chart = draw_columns(10, None, 0)
    assert len(chart.bars) == 2
    assert len(chart.gaps) == 1


@pytest.mark.parametrize("periods", [1, 2, 9, 13, 60])
def test_it_keeps_everything_inside_the_drawing_and_labels_the_last_period(periods: int) -> None:
    chart = draw_columns(*range(periods))
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right + 1 for bar in chart.bars)
    assert all(bar.y >= 0 for bar in chart.bars)
    assert len(chart.x_ticks) <= 6
    assert chart.x_ticks[-1].label == f"W{periods}"


def test_it_draws_bars_side_by_side_in_proportion_with_name_and_value() -> None:
    chart = bar_chart(readings(10, 20, None), title="t", description="d")
    ten, twenty, none = chart.bars
    assert twenty.width == pytest.approx(2 * ten.width)
    assert none.width == 0
    assert [name.text for name in chart.names] == ["W1", "10", "W2", "20", "W3", DASH]
    assert max(bar.x + bar.width for bar in chart.bars) + 8 + 7 * 8 < chart.width  # a value of seven digits fits
    assert all(bar.y + bar.height <= chart.height for bar in chart.bars)


def test_it_draws_nothing_but_axes_without_figures() -> None:
    chart = draw_line(None, None)
    assert (chart.lines, chart.dots, len(chart.gaps)) == ((), (), 1)
    assert [tick.label for tick in chart.y_ticks] == ["0", "1"]
    assert bar_chart([], title="t", description="d").bars == ()


def test_it_shortens_a_long_name_before_a_bar() -> None:
    assert short_label("a" * 26) == "a" * 26
    assert short_label("a" * 27) == "a" * 25 + "…"
