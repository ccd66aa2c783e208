"""How much of everything a demonstration has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of rows; `weeks` of history before now; `entries` of the largest list; `subscribers` of each list.

    `acknowledged`: the share of deliveries that members acknowledge. `counted`: of how many weeks there are figures, at
    most; counting is most of the work.
    """

    hotlines: int
    members: int
    partners: int
    lists: int
    releases: int
    subscribers: int
    weeks: int
    entries: int
    acknowledged: float = 0.97
    counted: int = 1_000

    @property
    def organisations(self) -> int:
        return self.hotlines + self.members + self.partners


SMALL: Final = Size(hotlines=5, members=31, partners=6, lists=9, releases=540, subscribers=17, weeks=60, entries=24_000)
"""What one looks at: a minute to make."""

LARGE: Final = Size(
    hotlines=40,
    members=240,
    partners=20,
    lists=100,
    releases=50_000,
    subscribers=30,
    weeks=100,
    entries=2_000,
    acknowledged=0.5,
    counted=30,
)
"""What pages are measured on: 300 organisations, 100 lists, 50,000 releases, a million deliveries."""

SIZES: Final = {"small": SMALL, "large": LARGE}
