"""When a signature that nears its end is spoken of: a few steps in each role's life. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Reached when `share` (percent) of the life is over, or when no more than `left` of it is.

    `urgent`: somebody should act today.
    """

    name: str
    share: int = 100
    left: timedelta | None = None
    urgent: bool = False

    def moment(self, begins: datetime, ends: datetime) -> datetime:
        """When it is reached by a signature that lives from `begins` to `ends`."""
        return begins + (ends - begins) * self.share / 100 if self.left is None else ends - self.left


HALF: Final = Step("half", share=50)
THREE_QUARTERS: Final = Step("three-quarters", share=75)
LAST_MONTH: Final = Step("last-month", left=30 * DAY)
LAST_WEEK: Final = Step("last-week", left=7 * DAY, urgent=True)
LAST_DAY: Final = Step("last-day", left=DAY, urgent=True)
OVER: Final = Step("expired", left=timedelta(0), urgent=True)

STEPS: Final[dict[str, Sequence[Step]]] = {
    "feed": (HALF, Step("three-quarters", share=75, urgent=True), LAST_DAY, OVER),
    "targets": (HALF, THREE_QUARTERS, LAST_WEEK, LAST_DAY, OVER),
    "root": (THREE_QUARTERS, LAST_MONTH, LAST_WEEK, LAST_DAY, OVER),
    "major": (LAST_MONTH, LAST_DAY, OVER),
    "snapshot": (Step("three-quarters", share=75, urgent=True), OVER),
    "timestamp": (Step("three-quarters", share=75, urgent=True), OVER),
}
"""By kind of role, in order. A feed lives 14 days, a root a year; targets live 90 and are renewed from half of that on;
majors live three years and are signed anew with each large loss.
The hub signs snapshots (7 days) and timestamps (24 hours) again long before three quarters are over: it failed.
"""


def step_reached(kind: str, *, begins: datetime, ends: datetime, now: datetime) -> Step | None:
    """The last step that is reached; None before the first. A short life may pass over some."""
    reached = [step for step in STEPS[kind] if step.moment(begins, ends) <= now]
    return reached[-1] if reached else None
