"""What may be shown of counts that organisations stand behind which have not agreed to be named. Pure.

Governments, hotlines and organisations that agreed are counted exactly. The rest of a figure is rounded to 5, and what
fewer than 5 of them stand behind is not told apart: it goes into a remainder of at least 5, so that neither a figure
nor a total less its parts is about one of them. docs/statistics.md says it for those who read the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

STEP: Final = 5
FEWEST: Final = 5
"""Organisations that must stand behind a figure which is shown apart, if one of them has not agreed to be named."""


@dataclass(frozen=True, slots=True)
class Count:
    """`private` is how much of `value` is owed to organisations that have not agreed to be named."""

    value: int
    private: int = 0

    @property
    def exact(self) -> int:
        return self.value - self.private

    @property
    def shown(self) -> int:
        return self.exact + rounded(self.private)


def rounded(number: int) -> int:
    """To the nearest multiple of 5."""
    return STEP * ((number + STEP // 2) // STEP)


def shown_apart(populations: Mapping[str, int], *, overlapping: bool = False) -> frozenset[str]:
    """Of the parts of a whole, those whose figures may be shown beside those of the whole.

    `populations`: how many organisations that have not agreed to be named stand behind each part. Parts without any
    are shown. Those with fewer than `FEWEST` are not, nor are, smallest first, as many others as it takes until what is
    left over has that many. `overlapping`: one organisation may stand behind several parts, so that what is left over
    has no more for certain than its largest part.
    """
    left = {name for name, number in populations.items() if 0 < number < FEWEST}
    others = sorted((number, name) for name, number in populations.items() if number >= FEWEST)
    while left and others and _behind([populations[name] for name in left], overlapping=overlapping) < FEWEST:
        left.add(others.pop(0)[1])
    return frozenset(populations) - left


def _behind(numbers: list[int], *, overlapping: bool) -> int:
    return max(numbers) if overlapping else sum(numbers)
