"""The drawing: well-formed, described in words, places on logarithmic axes, labels apart."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import chart
from benchmarks.results import Figure, Figures

SVG = "{http://www.w3.org/2000/svg}"
make = Figures("releases")


def figure(series: str, entries: int, seconds: float) -> Figure:
    return make.plain(f"{series} {entries}", seconds, "s", series=series, entries=entries)


FIGURES = [
    *(figure("full sync", entries, entries / 1e6) for entries in (100_000, 1_000_000, 10_000_000)),
    *(figure("poll", entries, 0.7) for entries in (100_000, 1_000_000, 10_000_000)),
    figure("release", 100_000, 2.0),
    make.plain("something else", 1.0, "s"),
]


def test_it_is_drawn_with_a_title_and_a_description(tmp_path: Path) -> None:
    path = tmp_path / "cost.svg"
    assert chart.write(FIGURES, path)
    root = ET.fromstring(path.read_text())
    assert root.findtext(f"{SVG}title") == "Cost against list size"
    described = root.findtext(f"{SVG}desc") or ""
    assert "10 s at 10M" in described
    assert "prefers-color-scheme: dark" in (root.findtext(f"{SVG}style") or "")
    assert len(root.findall(f"{SVG}polyline")) == 2, "a series of one size is no line"


def test_nothing_is_drawn_without_two_sizes(tmp_path: Path) -> None:
    assert not chart.write(FIGURES[-2:], tmp_path / "cost.svg")
    assert not (tmp_path / "cost.svg").exists()


def test_ten_times_the_entries_are_the_same_step_anywhere() -> None:
    frame = chart.Frame({"full sync": [(100_000, 0.1), (1_000_000, 1.0), (10_000_000, 10.0)]})
    steps = [frame.x(1_000_000) - frame.x(100_000), frame.x(10_000_000) - frame.x(1_000_000)]
    assert abs(steps[0] - steps[1]) < 0.2
    assert frame.y(0.1) - frame.y(1.0) == frame.y(1.0) - frame.y(10.0) > 0


def test_labels_of_lines_that_end_together_stand_apart() -> None:
    assert chart.spread([100.0, 100.0, 300.0]) == [100.0, 118.0, 300.0]
    assert chart.spread([105.0, 100.0]) == [118.0, 100.0]
