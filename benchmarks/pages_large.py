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
from statistics import median
from typing import Any, Final

from benchmarks.asking import ROLES
from benchmarks.bed import QUICK, Bed
from benchmarks.measure import run
from benchmarks.results import Figure, Figures
from demo.stage import REPOSITORY

make = Figures("pages-large")
TIMES: Final = 4
"""Requests of each address."""
FEWEST: Final = 20
"""Requests of each page, whatever of it is asked for: of fewer the slowest twentieth says nothing."""
BASE_EVERY: Final = 4
"""After so many requests to the large hub, one to the empty one."""
MOST_QUERIES: Final = 14
SHOWN: Final = 5
"""Pages of each role that are named, the slowest."""
SIZES: Final = {"organisations": 300, "lists": 100, "releases": 50_000, "deliveries": 1_000_000}
LONGEST: Final = 3_600.0
"""Seconds that filling a hub may take."""


@dataclass(slots=True)
class Address:
    """Of a page, with its filters, and how many milliseconds each request took."""

    role: str
    name: str
    path: str
    status: int
    queries: int
    took: list[float] = field(default_factory=list)

    @property
    def page(self) -> tuple[str, str]:
        """The role and the page, whatever is filtered or searched."""
        return self.role, self.name.partition(" ?")[0]


@dataclass(frozen=True, slots=True)
class Page:
    """Of one role, in all its addresses together."""

    name: str
    addresses: tuple[Address, ...]

    @property
    def p95(self) -> float:
        return p95([it for each in self.addresses for it in each.took])


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
            base, asked = in_turns(empty, large, times=2 if quick else TIMES, fewest=2 if quick else FEWEST)
    yield from sizes_of(sizes)
    yield from base_of(base)
    for role in ROLES:
        yield from figures_of(role, [each for each in asked if each.role == role], base)


def in_turns(empty: Hub, large: Hub, *, times: int, fewest: int) -> tuple[Address, list[Address]]:
    """The overview of the empty hub, and every address of the large one, each page spread evenly over the whole time,
    so that whatever else the machine does meets all alike.
    """
    base = next(each for each in walked(empty) if each.name == "overview")
    asked = walked(large)
    for turn, each in enumerate(spread(asked, times=times, fewest=fewest)):
        each.took.append(large.order("ask", role=each.role, path=each.path))
        if turn % BASE_EVERY == 0:
            base.took.append(empty.order("ask", role=base.role, path=base.path))
    return base, asked


def spread(asked: Sequence[Address], *, times: int, fewest: int) -> list[Address]:
    """In the order in which they are asked for."""
    moments = []
    for addresses in by_page(asked).values():
        number = len(addresses) * max(times, math.ceil(fewest / len(addresses)))
        moments += [((turn + 0.5) / number, addresses[turn % len(addresses)]) for turn in range(number)]
    return [each for _, each in sorted(moments, key=lambda it: it[0])]


def by_page(asked: Sequence[Address]) -> dict[tuple[str, str], list[Address]]:
    found: dict[tuple[str, str], list[Address]] = {}
    for each in asked:
        found.setdefault(each.page, []).append(each)
    return found


def walked(hub: Hub) -> list[Address]:
    found = [Address(**each) for each in hub.order("walk")]
    if failed := [each for each in found if each.status >= 400]:
        raise RuntimeError(f"{failed[0].path} answered {failed[0].status}.")
    return found


def sizes_of(sizes: Mapping[str, int]) -> Iterator[Figure]:
    for name, fewest in SIZES.items():
        yield make.bounded(f"{name} of the large hub", sizes[name], "", f">= {fewest}")


def base_of(base: Address) -> Iterator[Figure]:
    often = f"{base.queries} queries; {len(base.took):,} requests, one for every {BASE_EVERY} to the large hub"
    yield make.plain("overview of an empty hub, p95", p95(base.took), "ms", note=often)
    yield make.plain("overview of an empty hub, median", median(base.took), "ms")


def figures_of(role: str, asked: Sequence[Address], base: Address) -> Iterator[Figure]:
    """Of one role: the most queries, the slowest pages, and the slowest of all addresses."""
    most = max(asked, key=lambda each: each.queries)
    pages = sorted((Page(name, tuple(its)) for (_, name), its in by_page(asked).items()), key=lambda it: -it.p95)
    counted = f"{len(asked)} addresses of {len(pages)} pages; the most at {most.name}"
    yield make.bounded(f"queries of a page, {role}", most.queries, "", f"<= {MOST_QUERIES}", note=counted)
    for page in pages[:SHOWN]:
        yield compared_p95(f"p95 of the page {page.name}, {role}", page, base)
    slowest = max(asked, key=lambda each: median(each.took))
    yield make.compared(
        f"median of the slowest address, {role}",
        median(slowest.took),
        "ms",
        rival=f"median of the overview of an empty hub, {median(base.took):.1f} ms",
        ratio=median(slowest.took) / median(base.took),
        goal="<= 3x",
        note=f"{slowest.name}; {slowest.queries} queries",
    )


def compared_p95(name: str, page: Page, base: Address) -> Figure:
    over = sum(len(each.took) for each in page.addresses)
    return make.compared(
        name,
        page.p95,
        "ms",
        rival=f"p95 of the overview of an empty hub, {p95(base.took):.1f} ms",
        ratio=page.p95 / p95(base.took),
        goal="<= 3x",
        note=f"{over} requests of {len(page.addresses)} addresses",
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
