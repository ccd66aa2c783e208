"""What is shown of counts that unnamed organisations stand behind: rounded, and never about fewer than five of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashshare.disclosure import FEWEST, Count, rounded, shown_apart


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, 0), (1, 0), (2, 0), (3, 5), (5, 5), (7, 5), (8, 10), (12, 10), (13, 15), (1_000_003, 1_000_005)],
)
def test_it_rounds_to_five(number: int, shown: int) -> None:
    assert rounded(number) == shown


def test_it_counts_the_named_exactly_and_rounds_the_rest() -> None:
    assert Count(20, 13).shown == 7 + 15
    assert Count(7).shown == 7


def test_it_shows_parts_with_five_or_none() -> None:
    assert shown_apart({"NL": 5, "DE": 9, "SE": 0}) == {"NL", "DE", "SE"}


def test_it_hides_small_parts_together() -> None:
    assert shown_apart({"NL": 8, "DE": 3, "SE": 2, "FI": 0}) == {"NL", "FI"}


def test_it_hides_another_part_when_the_remainder_alone_would_tell() -> None:
    """The whole less NL and BE would be what two members in DE do."""
    assert shown_apart({"NL": 8, "BE": 6, "DE": 2}) == {"NL"}


def test_it_does_not_add_up_parts_that_overlap() -> None:
    """The same two members may take the lists of three hotlines: together they are two, not six."""
    assert shown_apart({"a": 2, "b": 2, "c": 2, "d": 7, "e": 9}, overlapping=True) == {"e"}


@given(st.dictionaries(st.text("ABC", min_size=1, max_size=3), st.integers(0, 12), max_size=8))
def test_what_is_left_over_has_five_or_everybody(populations: dict[str, int]) -> None:
    apart = shown_apart(populations)
    left = sum(number for name, number in populations.items() if name not in apart)
    assert left == 0 or left >= FEWEST or not any(populations[name] for name in apart)
    assert all(populations[name] == 0 or populations[name] >= FEWEST for name in apart)
