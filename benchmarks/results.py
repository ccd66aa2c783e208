"""Figures, the goals they are held to, and the file that keeps them for machines, good or bad."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.json"
GOAL = re.compile(r"(<=|>=|=) ([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `ratio` is ours to the rival's, or the reverse where `goal` is to be faster; `met` is None
    without a goal; `note` says what bounds a figure, or what it leaves out. `series` and `entries` name it for the
    chart and for docs/scale.md, whatever its wording.
    """

    figure: str
    value: float
    unit: str
    rival: str
    ratio: float | None
    goal: str
    met: bool | None
    command: str
    note: str = ""
    series: str = ""
    entries: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one scenario: its figures, or those before `error`. `seconds` it took; `at` is UTC."""

    scenario: str
    at: str
    seconds: float
    error: str
    figures: tuple[Figure, ...]

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Record:
        figures = tuple(Figure(**figure) for figure in document["figures"])
        return cls(document["scenario"], document["at"], document["seconds"], document["error"], figures)


@dataclass(frozen=True, slots=True)
class Figures:
    """Makes the figures of one scenario, which all name the command that measures them."""

    scenario: str

    def plain(self, name: str, value: float, unit: str, **more: Any) -> Figure:
        """A figure without a goal."""
        return Figure(name, value, unit, "", None, "", None, self.command, **more)

    def bounded(self, name: str, value: float, unit: str, goal: str, *, rival: str = "", **more: Any) -> Figure:
        """A figure whose goal bounds its value, such as "<= 300 MiB"."""
        return Figure(name, value, unit, rival, None, goal, holds(goal, value), self.command, **more)

    def compared(
        self, name: str, value: float, unit: str, *, rival: str, ratio: float, goal: str = "", **more: Any
    ) -> Figure:
        """A figure beside a rival's, whose goal, if any, bounds the ratio."""
        met = holds(goal, ratio) if goal else None
        return Figure(name, value, unit, rival, ratio, goal, met, self.command, **more)

    @property
    def command(self) -> str:
        return f"python -m benchmarks {self.scenario}"


def bound(goal: str) -> tuple[str, float]:
    """("<=", 1.5) for "<= 1.5x of curl". Raises ValueError for a goal that bounds nothing."""
    found = GOAL.match(goal)
    if found is None:
        raise ValueError(f"{goal!r} does not begin with <=, >= or = and a number.")
    return found[1], float(found[2])


def holds(goal: str, value: float) -> bool:
    """Whether `value` is within the bound that `goal` begins with."""
    sign, limit = bound(goal)
    return {"<=": value <= limit, ">=": value >= limit, "=": value == limit}[sign]


def size_text(entries: int) -> str:
    """100_000 -> "100k", 10_000_000 -> "10M"."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if entries >= unit and entries % unit == 0:
            return f"{entries // unit}{letter}"
    return f"{entries:,}"


def machine() -> dict[str, Any]:
    """What the figures were measured on, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
    }


def load(path: Path = RESULTS) -> list[Record]:
    """The records kept in `path`, none if there is no such file yet."""
    if not path.exists():
        return []
    return [Record.from_json(record) for record in json.loads(path.read_text()).get("scenarios", [])]


def save(records: Sequence[Record], path: Path = RESULTS) -> None:
    """Replace the file, in one step."""
    document = {"machine": machine(), "scenarios": [asdict(record) for record in records]}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(document, indent=1) + "\n")
    draft.replace(path)


def merged(kept: Sequence[Record], new: Sequence[Record], order: Sequence[str]) -> list[Record]:
    """`kept` with the scenarios of `new` put in place of its own, in the order of `order`; unknown ones go."""
    by_name = {record.scenario: record for record in [*kept, *new]}
    return [by_name[name] for name in order if name in by_name]
