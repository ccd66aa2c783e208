"""Every page for people, on a hub of 300 organisations, 100 lists, 50,000 releases and a million deliveries, against
the overview of an empty hub in the same run.

The hub is made by `manage.py demo --size large`, which takes minutes; `--hub DIR` keeps it for the next run.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.asking import ROLES
from benchmarks.bed import QUICK, Bed
from benchmarks.measure import run
from benchmarks.results import Figure, Figures
from demo.stage import REPOSITORY

make = Figures("pages-large")
TIMES: Final = 20
"""Requests of each address."""
BASE_EVERY: Final = 4
"""After so many requests to the large hub, one to the empty one."""
MOST_QUERIES: Final = 14
SHOWN: Final = 5
"""Pages of each role that are named, the slowest."""
SIZES: Final = {"organisations": 300, "lists": 100, "releases": 50_000, "deliveries": 1_000_000}
LONGEST: Final = 3_600.0
"""Seconds that filling a hub may take."""


@dataclass(slots=True)
class Page:
    """An address, and how many milliseconds each request took."""

    role: str
    name: str
    path: str
    status: int
    queries: int
    took: list[float] = field(default_factory=list)

    @property
    def p95(self) -> float:
        return p95(self.took)

    @property
    def place(self) -> str:
        """The page, whatever is filtered or searched."""
        return self.name.partition(" ?")[0]


@dataclass(frozen=True, slots=True)
class Hub:
    """A process that asks one hub."""

    process: subprocess.Popen[str]

    def order(self, do: str, **more: str) -> Any:
        """Raises RuntimeError when the process has ended, having said why on standard error."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps({"do": do, **more}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("The process that asks a hub's pages has ended.")
        return json.loads(answer)


def measure(bed: Bed) -> Iterator[Figure]:
    quick = bed.scale == QUICK
    with tempfile.TemporaryDirectory(prefix="hashshare-pages-") as folder:
        kept = bed.hub or Path(folder) / "large"
        fill(kept, "small" if quick else "large")
        with asking(Path(folder) / "empty") as empty, asking(kept) as large:
            sizes = large.order("sizes")
            base, pages = in_turns(empty, large, times=3 if quick else TIMES)
    yield from sizes_of(sizes)
    yield make.plain(
        "overview of an empty hub, p95",
        p95(base.took),
        "ms",
        note=f"{base.queries} queries; {len(base.took):,} requests, one after each {BASE_EVERY} to the large hub",
    )
    for role in ROLES:
        yield from figures_of(role, [page for page in pages if page.role == role], p95(base.took))


def in_turns(empty: Hub, large: Hub, *, times: int) -> tuple[Page, list[Page]]:
    """The overview of the empty hub, and every address of the large one. Round by round, so that whatever else the
    machine does meets all alike.
    """
    base = next(page for page in walked(empty) if page.name == "overview")
    pages = walked(large)
    for turn in range(times * len(pages)):
        page = pages[turn % len(pages)]
        page.took.append(large.order("ask", role=page.role, path=page.path))
        if turn % BASE_EVERY == 0:
            base.took.append(empty.order("ask", role=base.role, path=base.path))
    return base, pages


def walked(hub: Hub) -> list[Page]:
    pages = [Page(**page) for page in hub.order("walk")]
    if failed := [page for page in pages if page.status >= 400]:
        raise RuntimeError(f"{failed[0].path} answered {failed[0].status}.")
    return pages


def sizes_of(sizes: Mapping[str, int]) -> Iterator[Figure]:
    for name, fewest in SIZES.items():
        yield make.bounded(f"{name} of the large hub", sizes[name], "", f">= {fewest}")


def figures_of(role: str, pages: Sequence[Page], base: float) -> Iterator[Figure]:
    """Of one role: the most queries, and the slowest pages, each by the slowest of its filters and searches."""
    most = max(pages, key=lambda page: page.queries)
    counted = f"{len(pages)} addresses; the most at {most.name}"
    yield make.bounded(f"queries of a page, {role}", most.queries, "", f"<= {MOST_QUERIES}", note=counted)
    slowest = {page.place: page for page in sorted(pages, key=lambda page: page.p95)}
    for name, page in sorted(slowest.items(), key=lambda it: -it[1].p95)[:SHOWN]:
        yield make.compared(
            f"p95 of the page {name}, {role}",
            page.p95,
            "ms",
            rival=f"overview of an empty hub, {base:.1f} ms",
            ratio=page.p95 / base,
            goal="<= 3x",
            note=f"at {page.name}; {page.queries} queries",
        )


def fill(folder: Path, size: str) -> None:
    """Once; a folder that is kept is used again."""
    done = folder / "demonstration"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(REPOSITORY / "manage.py"), "demo", "--size", size]
        run(command, env={"HASHSHARE_DATA": str(folder)}, longest=LONGEST)
        done.touch()


@contextmanager
def asking(folder: Path) -> Iterator[Hub]:
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.asking"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HASHSHARE_DATA": str(folder)},
    )
    try:
        yield Hub(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=60)


def p95(took: Sequence[float]) -> float:
    """What 95 of 100 do not exceed, by nearest rank."""
    return sorted(took)[math.ceil(len(took) * 0.95) - 1]
