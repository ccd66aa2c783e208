"""Cost against list size as SVG: both axes logarithmic, readable on light and dark, described for screen readers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from benchmarks.results import Figure, size_text

DRAWING: Final = Path(__file__).parent.parent / "docs" / "cost-against-size.svg"
SERIES: Final[Mapping[str, str]] = {
    "full sync": "member full sync",
    "release": "release of 1,000 changes",
    "delta": "member delta of 1,000 changes",
    "poll": "poll with nothing new",
}
"""Which figures are drawn, by their `series`, and how they are called."""

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 46, 52
STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: currentColor } text.title { font-size: 15px; font-weight: 600 }
  polyline { fill: none; stroke: currentColor; stroke-width: 2.5 } circle { fill: currentColor }
  line { stroke: currentColor } rect { fill: #ffffff }
  .ink { color: #1f2328 } .grid { color: #d0d7de } .axis { color: #57606a }
  .s0 { color: #0550ae } .s1 { color: #bc4c00 } .s2 { color: #116329 } .s3 { color: #8250df }
  @media (prefers-color-scheme: dark) {
    rect { fill: #0d1117 }
    .ink { color: #e6edf3 } .grid { color: #30363d } .axis { color: #8b949e }
    .s0 { color: #79c0ff } .s1 { color: #ffa657 } .s2 { color: #7ee787 } .s3 { color: #d2a8ff }
  }"""
MARKS: Final = ("none", "6 3", "2 3", "9 3 2 3")
"""Dashes, so that the lines are told apart without colour."""

LABELLED: Final = 'role="img" aria-labelledby="title desc"'

Points = Sequence[tuple[int, float]]


def write(figures: Iterable[Figure], path: Path = DRAWING) -> bool:
    """Draw what there is; False, and no file, when no series has two sizes."""
    series = {label: points for name, label in SERIES.items() if len(points := points_of(figures, name)) > 1}
    if not series:
        return False
    path.write_text(draw(series))
    return True


def points_of(figures: Iterable[Figure], series: str) -> list[tuple[int, float]]:
    """(entries, value) of a series, by size."""
    return sorted((f.entries, f.value) for f in figures if f.series == series and f.entries and f.value > 0)


def draw(series: Mapping[str, Points]) -> str:
    """The drawing as text. `series` maps labels to (entries, seconds), each with at least one point."""
    frame = Frame(series)
    title = "Cost against list size"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {LABELLED}>',
        f'<title id="title">{title}</title>',
        f'<desc id="desc">{escape(described(series))}</desc>',
        f"<style>{STYLE}\n</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="ink title" x="{LEFT}" y="24">{title}</text>',
        *frame.grid(),
    ]
    heights = spread([frame.y(points[-1][1]) for points in series.values()])
    for place, ((label, points), height) in enumerate(zip(series.items(), heights, strict=True)):
        parts += _line(place, label, [(frame.x(n), frame.y(seconds)) for n, seconds in points], height)
    return "\n".join([*parts, "</svg>", ""])


class Frame:
    """From entries and seconds to places on the paper; axes reach to whole powers of ten."""

    def __init__(self, series: Mapping[str, Points]) -> None:
        values = [seconds for points in series.values() for _, seconds in points]
        self.sizes = sorted({entries for points in series.values() for entries, _ in points})
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def x(self, entries: int) -> float:
        first, last = math.log10(self.sizes[0]), math.log10(self.sizes[-1])
        share = (math.log10(entries) - first) / (last - first) if last > first else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, seconds: float) -> float:
        share = (math.log10(seconds) - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def grid(self) -> list[str]:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = []
        for power in range(self.low, self.high + 1):
            y = self.y(10.0**power)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
            label = f"{10.0**power:g} s"
            parts.append(f'<text class="ink" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{label}</text>')
        for entries in self.sizes:
            x = self.x(entries)
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>')
            parts.append(
                f'<text class="ink" x="{x}" y="{bottom + 20}" text-anchor="middle">{size_text(entries)}</text>'
            )
        middle = (LEFT + right) / 2
        parts.append(
            f'<text class="ink" x="{middle}" y="{bottom + 40}" text-anchor="middle">entries in the list</text>'
        )
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        return parts


def _line(place: int, label: str, points: Sequence[tuple[float, float]], height: float) -> list[str]:
    style, dashes = f"s{place % 4}", MARKS[place % 4]
    joined = " ".join(f"{x},{y}" for x, y in points)
    dots = [f'<circle class="{style}" cx="{x}" cy="{y}" r="3.5"/>' for x, y in points]
    text = f'<text class="{style}" x="{WIDTH - RIGHT + 12}" y="{height + 4:.1f}">{escape(label)}</text>'
    return [f'<polyline class="{style}" stroke-dasharray="{dashes}" points="{joined}"/>', *dots, text]


def spread(heights: Sequence[float], *, apart: float = 18.0) -> list[float]:
    """The heights of labels, moved down where two would overlap; same order as given."""
    placed: dict[int, float] = {}
    last = -math.inf
    for index in sorted(range(len(heights)), key=lambda i: heights[i]):
        last = max(heights[index], last + apart)
        placed[index] = last
    return [placed[index] for index in range(len(heights))]


def described(series: Mapping[str, Points]) -> str:
    """The drawing in words, every point included."""
    lines = []
    for label, points in series.items():
        said = ", ".join(f"{seconds:.3g} s at {size_text(entries)}" for entries, seconds in points)
        lines.append(f"{label}: {said}.")
    return "Seconds against entries in the list, both axes logarithmic. " + " ".join(lines)
