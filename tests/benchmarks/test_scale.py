"""The arithmetic of docs/scale.md, and that it stands on measured figures only."""

from __future__ import annotations

import pytest

from benchmarks import scale
from benchmarks.results import Figures
from benchmarks.scale import Measured, MissingFigureError

MEASURED = Measured(
    release_requests=20, release_web=0.2, release_worker=0.3, poll_web=0.001, poll_database=0.0005,
    delta_requests=7, delta_web=0.02, delta_bytes=105_000, few_bytes=15_000, entry_bytes=100.0,
    base_worker=1.5, serve_per_million=0.4, delivery_row=200, leaf_row=500,
)  # fmt: skip


def result(lines: list[scale.Line], what: str) -> str:
    return next(line.result for line in lines if line.what == what)


def test_an_operation_costs_what_two_measured_deltas_differ_by() -> None:
    assert MEASURED.operation_bytes == 100


def test_releases_are_multiplied() -> None:
    lines = scale.publishing(MEASURED)
    assert result(lines, "requests") == "576,000, 6.67 a second"
    assert result(lines, "worker processor time, releases") == "8,640 s, 0.1 cores"


def test_members_who_take_everything_at_once_ask_once_for_all_lists() -> None:
    lines = scale.following(MEASURED)
    assert result(lines, "polls") == "1,440,000, 16.7 a second"
    assert result(lines, "requests").startswith("865,440,000,"), "1.44 M polls and 144 M lists, six requests each"


def test_members_who_come_at_night_fetch_at_most_twice_the_operations() -> None:
    assert result(scale.nightly(MEASURED), "bytes, at most").startswith("2.88 TB,")


def test_storage_counts_what_is_not_pruned_yet() -> None:
    lines = scale.storage(MEASURED)
    assert result(lines, "one copy of all entries") == "10 GB"
    assert result(lines, "bases with those not yet pruned, at most") == "30 GB"


def test_a_missing_figure_is_named() -> None:
    figure = Figures("poll").plain("requests", 20, "", series="release requests", entries=10_000_000)
    with pytest.raises(MissingFigureError, match="release web cpu"):
        Measured.of([figure])


def test_the_page_shows_the_arithmetic() -> None:
    text = scale.page(MEASURED)
    assert "| requests | 100 publishers \N{MULTIPLICATION SIGN} 288 releases" in text
    assert "{" not in text


def test_merges_write_an_operation_a_few_times_again() -> None:
    assert scale.written(2) == 1, "the newest two are left alone"
    assert 2 < scale.written(64) < scale.written(512) < 12
