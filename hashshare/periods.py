"""The periods that statistics are told by: ISO weeks, months and quarters, all in UTC days. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Kind = Literal["week", "month", "quarter"]

KINDS: Final[tuple[Kind, ...]] = ("week", "month", "quarter")
_LABELS: Final[dict[Kind, re.Pattern[str]]] = {
    "week": re.compile(r"(2\d{3})-W(\d{2})"),
    "month": re.compile(r"(2\d{3})-(\d{2})"),
    "quarter": re.compile(r"(2\d{3})-Q([1-4])"),
}


@dataclass(frozen=True, slots=True)
class Period:
    """`start` is its first day."""

    kind: Kind
    start: date

    @property
    def end(self) -> date:
        """The last day, included."""
        return self.after.start - timedelta(days=1)

    @property
    def after(self) -> Period:
        span = {"week": 7, "month": 31, "quarter": 92}[self.kind]
        return period_of(self.kind, self.start + timedelta(days=span))

    @property
    def before(self) -> Period:
        return period_of(self.kind, self.start - timedelta(days=1))

    @property
    def label(self) -> str:
        """Such as 2026-W48, 2026-11 or 2026-Q4."""
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02}"
        if self.kind == "month":
            return f"{self.start:%Y-%m}"
        return f"{self.start.year}-Q{_quarter(self.start)}"

    @property
    def words(self) -> str:
        """As it is said in a sentence."""
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return f"week {week} of {year} ({day_in_words(self.start)} to {day_in_words(self.end)})"
        if self.kind == "month":
            return f"{self.start:%B %Y}"
        return f"quarter {_quarter(self.start)} of {self.start.year}"


def period_of(kind: Kind, day: date) -> Period:
    """The period that `day` is in."""
    if kind == "week":
        return Period(kind, day - timedelta(days=day.weekday()))
    if kind == "month":
        return Period(kind, day.replace(day=1))
    return Period(kind, date(day.year, 3 * _quarter(day) - 2, 1))


def read_period(label: str) -> Period | None:
    """The period with this label; None for any other text."""
    for kind, shape in _LABELS.items():
        if found := shape.fullmatch(label):
            return _numbered(kind, int(found[1]), int(found[2]))
    return None


def day_in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _numbered(kind: Kind, year: int, number: int) -> Period | None:
    try:
        if kind == "week":
            return Period(kind, date.fromisocalendar(year, number, 1))
        return Period(kind, date(year, number if kind == "month" else 3 * number - 2, 1))
    except ValueError:
        return None


def _quarter(day: date) -> int:
    return (day.month + 2) // 3
