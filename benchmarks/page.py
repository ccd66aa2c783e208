"""The figures as Markdown: the part of docs/performance.md between two markers, written anew with every run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.results import Figure, Record, bound

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
START, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
HEADINGS = ("figure", "measured", "rival", "ratio", "goal", "met")


def write(records: Sequence[Record], page: Path = PAGE) -> None:
    """Replace what stands between the markers. Raises ValueError when a marker is missing."""
    page.write_text(between(page.read_text(), "\n".join(body(records))))


def between(text: str, new: str) -> str:
    """`text` with `new` between the markers."""
    before, found, rest = text.partition(START)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"The page lacks {START} or {END}.")
    return f"{before}{START}\n\n{new}\n\n{END}{after}"


def body(records: Sequence[Record]) -> list[str]:
    """Failed scenarios first, then goals not reached, then every figure."""
    lines = [
        f"**The scenario `{record.scenario}` failed in this run:** {plain(record.error)}\n"
        for record in records
        if record.error
    ]
    lines += ["### Goals not reached", "", *(missed(figures_of(records)) or ["None."])]
    for record in records:
        lines += ["", f"### `python -m benchmarks {record.scenario}`", "", *_section(record)]
    return lines


def _section(record: Record) -> list[str]:
    lines = [f"Measured {record.at}, in {record.seconds:,.0f} s.", ""]
    if record.figures:
        lines += [row(HEADINGS), "|---" * len(HEADINGS) + "|", *(row(cells(figure)) for figure in record.figures)]
    notes = dict.fromkeys(f"- {figure.figure}: {figure.note}" for figure in record.figures if figure.note)
    return [*lines, *(["", *notes] if notes else [])]


def figures_of(records: Iterable[Record]) -> list[Figure]:
    return [figure for record in records for figure in record.figures]


def missed(figures: Iterable[Figure]) -> list[str]:
    """A line for each goal that was not reached: by how much, and what bounds it."""
    return [
        f"- **{figure.figure}**: {_measured(figure)}; the goal is {figure.goal}, missed by {shortfall(figure)}."
        f" {figure.note}".rstrip()
        for figure in figures
        if figure.met is False
    ]


def shortfall(figure: Figure) -> str:
    """How far the figure is from its goal, as a share of it."""
    _, limit = bound(figure.goal)
    value = figure.value if figure.ratio is None else figure.ratio
    return f"{abs(value - limit):,.3g}" if not limit else f"{abs(value - limit) / limit * 100:,.1f} %"


def cells(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[figure.met]
    ratio = "" if figure.ratio is None else f"{figure.ratio:,.4g}"
    return figure.figure, f"{number(figure.value)} {figure.unit}".strip(), figure.rival, ratio, figure.goal, met


def _measured(figure: Figure) -> str:
    value = f"{number(figure.value)} {figure.unit}".strip()
    return value if figure.ratio is None else f"{value}, ratio {figure.ratio:,.4g}"


def number(value: float) -> str:
    """Four digits that matter, whole numbers whole."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 10_000 else f"{value:,.4g}"


def row(values: Iterable[str]) -> str:
    return "| " + " | ".join(value.replace("|", "\\|") for value in values) + " |"


def plain(error: str) -> str:
    """One line of an error, safe in Markdown."""
    return " ".join(error.split())[:300].replace("|", "\\|").replace("<", "&lt;")
