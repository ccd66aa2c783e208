"""What merging costs: requests and operations of a catch-up from anywhere to any head, and what is written again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import log2

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hashshare.wire import limits
from hashshare.wire.merging import ENDLESS, Part, mergeable, merged, weight


def chains(sizes: Sequence[int], *, keep: Callable[[int], set[int]] = lambda _: set()) -> Iterator[list[Part]]:
    """The chain after each release of so many operations; `keep` is asked with the version that a release makes."""
    chain: list[Part] = []
    for version, size in enumerate(sizes, start=2):
        chain = merged([*chain, Part(version - 1, version, size)], keep=keep(version))
        yield chain


def requests(chain: Sequence[Part], missed: int) -> int:
    return sum(part.end > chain[-1].end - missed for part in chain)


def test_a_boundary_has_its_place_in_the_golden_tree() -> None:
    assert [weight(version) for version in range(1, 14)] == [ENDLESS, 1, 2, 3, 1, 5, 1, 2, 8, 1, 2, 3, 1]
    assert [weight(1 + number) for number in (89, 88, 90, 10_946 + 34)] == [89, 1, 1, 34]


def test_equal_releases_cost_14_20_and_25_requests_at_every_head() -> None:
    """A day, a month and a year of a release every five minutes; every head up to a year and a fortnight."""
    worst = dict.fromkeys((288, 8_928, 105_120), 0)
    for chain in chains([1] * 110_000):
        for missed in worst:
            if chain[-1].end > missed:
                worst[missed] = max(worst[missed], requests(chain, missed))
    assert worst[288] <= 14 and worst[8_928] <= 20 and worst[105_120] <= 25


def test_no_part_grows_beyond_what_a_segment_may_hold() -> None:
    many = [1_000_000] * 100
    assert max(part.operations for chain in chains(many) for part in chain) <= limits.MAX_ENTRIES_PER_SEGMENT
    chain: list[Part] = []
    for version in range(1, 100):
        chain = merged([*chain, Part(version, version + 1, 1, limits.MAX_OBJECT // 10)])
    assert max(part.length for part in chain) <= limits.MAX_OBJECT
    assert max(part.operations for part in chain) >= 8


@pytest.mark.parametrize("size", [2, 1_000])
def test_equal_releases_of_any_size_merge_alike(size: int) -> None:
    ones, others = [1] * 2_000, [size] * 2_000
    bounds = [[(part.start, part.end) for part in chain] for chain in chains(ones)]
    assert bounds == [[(part.start, part.end) for part in chain] for chain in chains(others)]


SHAPES: dict[str, tuple[Callable[[int, random.Random], int], int, int]] = {
    "a tenth more or less": (lambda _, chance: chance.randint(900, 1_100), 15, 20),
    "half of them empty": (lambda _, chance: chance.randint(0, 1), 18, 22),
    "one burst": (lambda version, _: 100_000 if version == 2_000 else 1, 16, 20),
    "pareto": (lambda _, chance: int(chance.paretovariate(1.1)), 20, 24),
    "alternating": (lambda version, _: 1_000 if version % 2 else 1, 17, 21),
    "growing": (lambda version, _: version, 14, 18),
    "shrinking": (lambda version, _: 4_001 - version, 23, 33),
    "nightly bursts": (lambda version, chance: 1_000 if version % 288 == 0 else chance.randint(1, 10), 20, 25),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_releases_of_other_shapes_cost_a_few_requests_more(shape: str) -> None:
    size, day, all_of_them = SHAPES[shape]
    chance = random.Random(1)
    for chain in chains([size(version, chance) for version in range(1, 4_001)]):
        assert requests(chain, 288) <= day
        assert len(chain) <= all_of_them


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**5), st.just(1)), min_size=1, max_size=120))
@example([5, 1, 6, 1, 1])
@example([0, 0, 7, 0, 0, 0, 9])
@example([2**n for n in range(20, 0, -1)])
def test_any_catch_up_costs_twice_what_was_published_at_most(sizes: list[int]) -> None:
    """From every start to every head, when no two operations meet on a key: folding would only help."""
    for head, chain in enumerate(chains(sizes), start=1):
        check_gapless(chain, head)
        cost = 0
        for part in reversed(chain):
            cost += part.operations
            lacking = sum(sizes[part.end - 2 : head])
            assert cost <= 2 * lacking, "the worst start in a part is just before its last release"


def check_gapless(chain: Sequence[Part], head: int) -> None:
    assert (chain[0].start, chain[-1].end) == (1, head + 1)
    assert chain[-1].start == head, "the release's own change stands alone"
    assert all(left.end == right.start for left, right in pairwise(chain))
    assert mergeable(chain) is None


def test_an_operation_is_written_again_a_logarithm_of_times() -> None:
    for shape, (size, _, _) in SHAPES.items():
        chance = random.Random(2)
        sizes = [size(version, chance) for version in range(1, 2_049)]
        written, before = 0, list[Part]()
        for chain in chains(sizes):
            known = set(before)
            written += sum(part.operations for part in chain[:-1] if part not in known and part.end - part.start > 1)
            before = chain
        assert written <= 1.3 * log2(2_048) * sum(sizes), shape


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 1_000), min_size=2, max_size=100), st.integers(1, 30), st.integers(0, 10))
def test_a_kept_version_ends_a_part_until_it_is_let_go(sizes: list[int], every: int, later: int) -> None:
    """A base is being built at every so many versions and is adopted some releases later."""

    def keep(version: int) -> set[int]:
        return {built for built in range(1, version) if built % every == 0 and version - built <= later + 1}

    for chain in chains(sizes, keep=keep):
        ends = {part.end for part in chain} | {1}
        assert keep(chain[-1].end) <= ends


def test_kept_versions_cost_a_few_requests() -> None:
    """A base built every five days of five-minute releases, adopted after an hour."""

    def keep(version: int) -> set[int]:
        newest = version - (version - 2) % 1_440
        return {newest} if newest > 2 and version - newest < 12 else set()

    assert max(requests(chain, 8_928) for chain in chains([1] * 12_000, keep=keep)) <= 22
