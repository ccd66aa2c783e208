"""Which neighbours of a chain the publisher's tool merges: arithmetic over versions and counts of operations, no more.

Two conditions make a run of neighbours mergeable, and hold for any history:

- *A catch-up costs at most twice what was published.* The run totals no more than the operations newer than it, and
  twice its last part more where that is a single release. A member inside the merged segment lacks at least that last
  release (r operations, 0 if unknown) and everything newer (n), and fetches at most the run (<= n + 2r) and n: no more
  than 2 (n + r), twice what it lacks. Whatever comes later adds as much to both sides, and folding only makes less.
- *An operation is written again a logarithm of times.* The largest part is at most MOST of the run, so that each
  merge that it takes part in makes its segment at least a quarter larger.

Merging whatever total the newer operations cover leaves 1.5 log2(n) segments of n equal releases on average, 2 log2(n)
at bad heads. A boundary between an older part of a and a newer one of c operations goes when a + 2c have come since: a
level of the tree of merges costs 1 on its older side and 2 on its newer. The cheapest tree for such costs parts by the
golden section, the larger part older: 1.44 log2(n), and hardly ever more. A boundary's `weight` is its place there. The
twice its last part that a run may have more is given only where that tree joins it; this happens at the smallest
segments, whose sizes settle those of all that are made of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from hashshare.wire import limits

MOST: Final = (4, 5)
ENDLESS: Final = 2**64
"""The weight of a boundary that stays: the chain's floor, or a version that is kept."""


class Part(NamedTuple):
    """A segment, or a run of them that is going to be one: `operations` changes after `start` up to `end`.

    `length` is its bytes; those of a run are at most the sum of its segments'.
    """

    start: int
    end: int
    operations: int
    length: int = 0


@lru_cache(maxsize=4096)
def weight(version: int) -> int:
    """The least term of the Zeckendorf sum of `version` - 1: 1, 2, 3, 1, 5, 1, 2, 8 ... ENDLESS for version 1.

    Every positive number is a sum of Fibonacci numbers, no two of them neighbours, in one way.
    """
    rest, low, high = version - 1, 1, 1
    if not rest:
        return ENDLESS
    while high <= rest:
        low, high = high, low + high
    while rest:
        if low <= rest:
            rest, least = rest - low, low
        low, high = high - low, low
    return least


def merged(parts: Sequence[Part], *, keep: Collection[int] = ()) -> list[Part]:
    """The chain as it should be after its newest part was added. No part ends up with one of `keep` inside."""
    chain = list(parts)
    while found := mergeable(chain, keep=keep):
        first, last = found
        run = chain[first : last + 1]
        operations, length = sum(part.operations for part in run), sum(part.length for part in run)
        chain[first : last + 1] = [Part(run[0].start, run[-1].end, operations, length)]
    return chain


def mergeable(chain: Sequence[Part], *, keep: Collection[int] = ()) -> tuple[int, int] | None:
    """First and last index of the largest run to merge, the one of most parts among equals.

    The newest part is left alone even when it is empty: it is what the release itself changed. No run is larger than
    a segment may be.
    """
    sums = [0, *accumulate([part.operations for part in chain])]
    places = [ENDLESS, *[ENDLESS if part.start in keep else weight(part.start) for part in chain[1:]]]
    best: tuple[int, int] | None = None
    best_rank = (-1, -1)
    for last in range(1, len(chain) - 1):
        part, newer = chain[last], sums[-1] - sums[last + 1]
        single = part.operations if part.end - part.start == 1 else 0
        most = min(newer + 2 * single, limits.MAX_ENTRIES_PER_SEGMENT)
        largest, length, inner = part.operations, part.length, 0
        first = last
        while first and sums[last + 1] - sums[first - 1] <= most and places[first] != ENDLESS:
            inner, first = max(inner, places[first]), first - 1
            total, largest = sums[last + 1] - sums[first], max(largest, chain[first].operations)
            length += chain[first].length
            if length > limits.MAX_OBJECT:
                break
            small = total <= newer or inner < min(places[first], places[last + 1])
            if small and MOST[1] * largest <= MOST[0] * total and (total, last - first) > best_rank:
                best, best_rank = (first, last), (total, last - first)
    return best
