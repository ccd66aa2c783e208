"""Charts as SVG and plots' rows as HTML tables, written here since templates take several times as long over hundreds
of bars and cells. Every text is escaped; classes only, no inline style.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from hashshare.admin.charts import Bar, Chart


def svg(chart: Chart, name: str) -> SafeString:
    """`name` is unique in the page; title and description are found by it."""
    parts, of = "".join(_inside(chart)), escape(name)
    return mark_safe(  # noqa: S308 - numbers, and texts that were escaped
        f'<svg class="chart" viewBox="0 0 {chart.width} {chart.height}" role="img" aria-labelledby="{of}-t {of}-d">'
        f'<title id="{of}-t">{escape(chart.title)}</title><desc id="{of}-d">{escape(chart.description)}</desc>'
        f"{parts}</svg>"
    )


def _inside(chart: Chart) -> Iterator[str]:
    for gap in chart.gaps:
        yield _rectangle(gap, "gap")
    for tick in chart.y_ticks:
        yield f'<line class="rule" x1="{chart.left}" x2="{chart.right}" y1="{tick.at:.1f}" y2="{tick.at:.1f}"/>'
        yield _text(chart.left - 8, tick.at, tick.label, anchor="end", attributes=' dy="4"')
    for tick in chart.x_ticks:
        yield _text(tick.at, chart.floor + 18, tick.label, anchor="middle")
    for bar in chart.bars:
        yield _rectangle(bar, "bar")
    for line in chart.lines:
        yield f'<path class="series s{line.series}" d="{line.path}"/>'
    for dot in chart.dots:
        yield f'<circle class="dot s{dot.series}" cx="{dot.x:.1f}" cy="{dot.y:.1f}" r="3"/>'
    for name in chart.names:
        kind = f' class="name s{name.series}" dy="4"' if name.series else ' class="beside"'
        yield _text(name.x, name.y, name.text, anchor=name.anchor, attributes=kind)


def _rectangle(bar: Bar, kind: str) -> str:
    place = f'x="{bar.x:.1f}" y="{bar.y:.1f}" width="{bar.width:.1f}" height="{bar.height:.1f}"'
    return f'<rect class="{kind}" {place}><title>{escape(bar.label)}</title></rect>'


def _text(x: float, y: float, text: str, *, anchor: str, attributes: str = "") -> str:
    return f'<text{attributes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> SafeString:
    """The first cell of a row is its head, the others are numbers."""
    first, *others = head
    heads = f'<th scope="col">{escape(first)}</th>' + "".join(
        f'<th scope="col" class="number">{escape(it)}</th>' for it in others
    )
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return mark_safe(  # noqa: S308 - every text was escaped
        f'<table class="plain"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )
