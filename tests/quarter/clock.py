"""The one time that hub and clients see: it leaps from night to night, and ticks in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Final

import time_machine

FIRST: Final = date(2027, 1, 4)
"""Of night 1."""
DAY: Final = timedelta(days=1)


def day(night: int) -> date:
    return FIRST + (night - 1) * DAY


def moment(night: int, hour: int, minute: int = 0) -> datetime:
    return datetime(*day(night).timetuple()[:3], hour, minute, tzinfo=UTC)


class Clock:
    """`night` counts from 1."""

    def __init__(self, travel: time_machine.Traveller) -> None:
        self._travel = travel
        self.night = 1

    @property
    def today(self) -> date:
        return day(self.night)

    def at(self, night: int, hour: int, minute: int = 0) -> None:
        """Leap there; never back."""
        to = moment(night, hour, minute)
        assert to >= datetime.now(UTC), f"time goes forward: {to}"
        self.night = night
        self._travel.move_to(to)


@contextmanager
def clock() -> Iterator[Clock]:
    with time_machine.travel(moment(1, 0), tick=True) as travel:
        yield Clock(travel)
