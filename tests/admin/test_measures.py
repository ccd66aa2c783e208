"""What is quoted for a period, and against what it is compared."""

from __future__ import annotations

from datetime import date, timedelta

from hashshare.admin.measures import MEASURES, Period, describe, figure

MEMBERS = next(measure for measure in MEASURES if measure.metric == "members")
DELIVERIES = next(measure for measure in MEASURES if measure.metric == "deliveries")
UNTIL = date(2026, 11, 21)
PERIOD = Period(30, UNTIL)


def days(values: dict[int, int]) -> dict[date, int]:
    """`values` by how many days before the last one."""
    return {UNTIL - timedelta(days=ago): value for ago, value in values.items()}


def test_it_quotes_a_level_as_it_last_stood() -> None:
    found = figure(MEMBERS, days({0: 12, 1: 11, 30: 9, 31: 8}), PERIOD)
    assert (found.value, found.change) == (12, "+3 since 22 October 2026")


def test_it_says_when_a_level_fell_or_stayed() -> None:
    assert figure(MEMBERS, days({0: 7, 30: 9}), PERIOD).change == "-2 since 22 October 2026"
    assert figure(MEMBERS, days({0: 9, 30: 9}), PERIOD).change == "No change since 22 October 2026"


def test_it_adds_up_counts_over_the_period_and_the_one_before() -> None:
    found = figure(DELIVERIES, days({0: 5, 29: 7, 30: 100, 59: 11, 60: 9999}), PERIOD)
    assert (found.value, found.change) == (12, "111 in the 30 days before")


def test_it_does_not_take_missing_days_for_nought() -> None:
    assert figure(DELIVERIES, {}, PERIOD).value is None
    assert figure(DELIVERIES, {}, PERIOD).change == "No figures in this period"
    assert figure(DELIVERIES, days({0: 4}), PERIOD).change == "No figures for the period before"
    assert figure(DELIVERIES, days({0: 0}), PERIOD).value == 0


def test_it_describes_a_chart_in_words() -> None:
    readings = Period(3, UNTIL).readings(days({0: 4, 2: 1000}))
    assert describe(readings) == (
        "From 19 November 2026 to 21 November 2026: lowest 4, highest 1,000, last 4; 1 day without figures."
    )


def test_it_defines_every_measure() -> None:
    assert {"members", "countries", "hotlines", "lists", "entries", "releases", "withdrawals", "deliveries"} == {
        measure.metric for measure in MEASURES
    }
    assert all(measure.definition.endswith(".") for measure in MEASURES)
