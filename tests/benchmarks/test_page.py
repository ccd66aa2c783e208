"""The performance page: failed scenarios and missed goals first, every figure, and the text around it left alone."""

from __future__ import annotations

import pytest

from benchmarks import page
from benchmarks.results import Figure, Figures, Record

make = Figures("sync")
MISSED = make.compared("full sync", 30.0, "s", rival="curl", ratio=2.5, goal="<= 2x", note="bound by verification")
MET = make.bounded("memory", 120.5, "MiB", "<= 300 MiB")


def record(*figures: Figure, error: str = "") -> Record:
    return Record("sync", "2026-11-22 20:00 UTC", 12.0, error, figures)


def test_a_missed_goal_is_said_with_how_far_and_why() -> None:
    (line,) = page.missed([MISSED, MET])
    assert "full sync" in line
    assert "missed by 25.0 %" in line
    assert "bound by verification" in line
    assert page.missed([MET]) == []


def test_a_goal_of_zero_is_missed_by_a_number() -> None:
    assert page.shortfall(make.bounded("rows written", 3, "", "= 0")) == "3"


def test_a_failed_scenario_is_named_with_its_error() -> None:
    text = "\n".join(page.body([record(MET, error="OSError: no\nspace | left")]))
    assert text.startswith("**The scenario `sync` failed in this run:** OSError: no space \\| left")
    assert "| memory | 120.5 MiB |" in text


def test_every_figure_has_a_row_under_the_command_that_makes_it() -> None:
    text = "\n".join(page.body([record(MISSED, MET)]))
    assert "### `python -m benchmarks sync`" in text
    assert "| full sync | 30 s | curl | 2.5 | <= 2x | **no** |" in text
    assert "- full sync: bound by verification" in text


def test_only_what_is_between_the_markers_changes() -> None:
    text = f"before\n{page.START}\nold\n{page.END}\nafter"
    assert page.between(text, "new") == f"before\n{page.START}\n\nnew\n\n{page.END}\nafter"
    with pytest.raises(ValueError, match="lacks"):
        page.between("before", "new")
