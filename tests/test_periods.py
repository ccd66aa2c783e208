"""Weeks, months and quarters: where they begin and end, and how they are called."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashshare.periods import KINDS, Kind, Period, period_of, read_period


@pytest.mark.parametrize(
    ("kind", "day", "label", "start", "end"),
    [
        ("week", date(2026, 11, 28), "2026-W48", date(2026, 11, 23), date(2026, 11, 29)),
        ("week", date(2027, 1, 2), "2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("week", date(2024, 12, 31), "2025-W01", date(2024, 12, 30), date(2025, 1, 5)),
        ("month", date(2028, 2, 29), "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("quarter", date(2026, 11, 28), "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_it_knows_the_period_of_a_day(kind: Kind, day: date, label: str, start: date, end: date) -> None:
    period = period_of(kind, day)
    assert (period.label, period.start, period.end) == (label, start, end)


@given(st.dates(date(2000, 1, 10), date(2990, 1, 1)), st.sampled_from(KINDS))
def test_periods_follow_each_other_without_gap(day: date, kind: Kind) -> None:
    period = period_of(kind, day)
    assert period.start <= day <= period.end
    assert period.before.end + timedelta(days=1) == period.start
    assert period.after.before == period
    assert read_period(period.label) == period


@pytest.mark.parametrize(
    "label", ["", "2026", "2026-W54", "2026-W00", "2026-13", "2026-Q5", "1999-01", "2026-W48 ", "x"]
)
def test_it_reads_nothing_else_as_a_period(label: str) -> None:
    assert read_period(label) is None


def test_it_says_a_period_in_words() -> None:
    assert Period("week", date(2026, 11, 23)).words == "week 48 of 2026 (23 November 2026 to 29 November 2026)"
    assert Period("month", date(2026, 11, 1)).words == "November 2026"
    assert Period("quarter", date(2026, 10, 1)).words == "quarter 4 of 2026"
