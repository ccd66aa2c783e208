"""When a signature near its end is spoken of: the last step that is reached, and none twice in a row of equal ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hashshare.selectors.steps import STEPS, step_reached

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIVES = {"feed": 14.0, "targets": 90.0, "root": 365.0, "snapshot": 7.0, "timestamp": 1.0}
"""Days."""
REACHED = [
    ("feed", 7, "half"),
    ("feed", 10.5, "three-quarters"),
    ("feed", 13, "last-day"),
    ("feed", 14, "expired"),
    ("targets", 45, "half"),
    ("targets", 67.5, "three-quarters"),
    ("targets", 83, "last-week"),
    ("targets", 89, "last-day"),
    ("targets", 90, "expired"),
    ("root", 273.75, "three-quarters"),
    ("root", 335, "last-month"),
    ("root", 358, "last-week"),
    ("root", 364, "last-day"),
    ("root", 365, "expired"),
    ("snapshot", 5.25, "three-quarters"),
    ("timestamp", 0.75, "three-quarters"),
    ("timestamp", 1, "expired"),
]


def reached(kind: str, now: datetime, days: float) -> str:
    step = step_reached(kind, begins=BEGINS, ends=BEGINS + timedelta(days=days), now=now)
    return step.name if step else ""


@pytest.mark.parametrize(("kind", "day", "name"), REACHED)
def test_a_step_is_reached_at_its_moment(kind: str, day: float, name: str) -> None:
    moment = BEGINS + timedelta(days=day)
    assert reached(kind, moment, LIVES[kind]) == name
    assert reached(kind, moment - SECOND, LIVES[kind]) != name


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("days", [1e-5, 0.5, 1.2, 20, 400])
def test_the_steps_of_any_life_come_in_order(kind: str, days: float) -> None:
    """A life of a day has its last day from its start: the steps before it are passed over, never told after it."""
    order = ["", *(step.name for step in STEPS[kind])]
    life = timedelta(days=days)
    seen = [order.index(reached(kind, BEGINS + life * part / 100, days)) for part in range(121)]
    assert seen == sorted(seen)
    assert order[seen[-1]] == "expired"
