"""Figures are judged by their goals, kept with their errors, and only replaced by newer ones of the same scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import Figures, Record, bound, holds, load, merged, save, size_text

make = Figures("sync")


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        ("<= 1.5", 1.5, True),
        ("<= 1.5", 1.51, False),
        (">= 4x faster", 4.0, True),
        (">= 4x faster", 3.9, False),
        ("= 304", 304, True),
        ("= 0", 1, False),
        ("<= 300 MiB", 299.9, True),
    ],
)
def test_a_goal_is_a_bound(goal: str, value: float, met: bool) -> None:
    assert holds(goal, value) is met


def test_a_goal_that_bounds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="fast"):
        bound("fast")


def test_a_ratio_is_what_the_goal_bounds_when_there_is_a_rival() -> None:
    figure = make.compared("full sync", 30.0, "s", rival="curl", ratio=1.9, goal="<= 2x")
    assert (figure.met, figure.command) == (True, "python -m benchmarks sync")
    assert make.compared("full sync", 1.0, "s", rival="curl", ratio=2.1, goal="<= 2x").met is False
    assert make.compared("full sync", 1.0, "s", rival="curl", ratio=2.1).met is None
    assert make.plain("full sync", 1.0, "s").met is None


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    figure = make.bounded("memory", 120.5, "MiB", "<= 300 MiB", series="memory", entries=100_000)
    records = [Record("sync", "2026-11-22 20:00 UTC", 12.5, "", (figure,)), Record("poll", "", 1.0, "OSError: no", ())]
    save(records, tmp_path / "results.json")
    assert load(tmp_path / "results.json") == records
    assert load(tmp_path / "none.json") == []


def test_a_scenario_run_again_takes_the_place_of_its_older_self() -> None:
    old, new = Record("poll", "then", 1.0, "failed", ()), Record("poll", "now", 1.0, "", ())
    kept = Record("sync", "then", 1.0, "", ())
    assert merged([old, kept], [new], ["sync", "poll"]) == [kept, new]


def test_sizes_are_named_briefly() -> None:
    assert [size_text(number) for number in (100_000, 10_000_000, 1234)] == ["100k", "10M", "1,234"]
