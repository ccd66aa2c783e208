"""Every page for people, on a hub of 300 organisations, 50,000 releases and a million deliveries, against the overview
of an empty hub in the same run.

The hub is made by `manage.py demo --size large`, which takes minutes; HASHSHARE_BENCH_HUB names a folder to keep it in.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.bed import QUICK, Bed
from benchmarks.measure import run
from benchmarks.results import Figure, Figures
from demo.stage import REPOSITORY

make = Figures("pages-large")
TIMES: Final = 20
"""Requests of each address."""
MOST_QUERIES: Final = 14
SHOWN: Final = 5
"""Pages of each role that are named, the slowest."""
ROLES: Final = ("operator", "analyst", "engineer", "observer")
LONGEST: Final = 3_600.0
"""Seconds that all requests of all people may take together."""


def measure(bed: Bed) -> Iterator[Figure]:
    """The overview of the empty hub is asked before and after, for a machine is never as busy twice."""
    with tempfile.TemporaryDirectory(prefix="hashshare-pages-") as folder:
        empty, large = Path(folder) / "empty", Path(os.environ.get("HASHSHARE_BENCH_HUB", f"{folder}/large"))
        fill(large, "small" if bed.scale == QUICK else "large")
        before = ask(empty, "overview")
        pages = ask(large)
        overview = [*before, *ask(empty, "overview")]
    base = p95([it for page in overview for it in page["ms"]])
    yield make.plain("overview of an empty hub, p95", base, "ms", note=f"{overview[0]['queries']} queries")
    for role in ROLES:
        yield from figures_of(role, [page for page in pages if page["role"] == role], base)


def figures_of(role: str, pages: Sequence[dict[str, Any]], base: float) -> Iterator[Figure]:
    """Of one role: the most queries, and the slowest pages, each by the slowest of its filters and searches."""
    most = max(pages, key=lambda page: int(page["queries"]))
    counted = f"{len(pages)} addresses; the most at {most['name']}"
    yield make.bounded(f"queries of a page, {role}", most["queries"], "", f"<= {MOST_QUERIES}", note=counted)
    slowest: dict[str, dict[str, Any]] = {}
    for page in sorted(pages, key=lambda page: p95(page["ms"])):
        slowest[page["name"].partition(" ?")[0]] = page
    for name, page in sorted(slowest.items(), key=lambda it: -p95(it[1]["ms"]))[:SHOWN]:
        took = p95(page["ms"])
        yield make.compared(
            f"p95 of the page {name}, {role}",
            took,
            "ms",
            rival=f"overview of an empty hub, {base:.1f} ms",
            ratio=took / base,
            goal="<= 3x",
            note=f"at {page['name']}; {page['queries']} queries",
        )


def fill(folder: Path, size: str) -> None:
    """Once; a folder that is kept is used again."""
    done = folder / "demonstration"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(REPOSITORY / "manage.py"), "demo", "--size", size]
        run(command, env={"HASHSHARE_DATA": str(folder)}, longest=LONGEST)
        done.touch()


def ask(folder: Path, only: str = "") -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.asking", str(TIMES), only]
    folder.mkdir(parents=True, exist_ok=True)
    done = run(command, env={"HASHSHARE_DATA": str(folder)}, longest=LONGEST)
    pages: list[dict[str, Any]] = done.document
    if failed := [page for page in pages if page["status"] >= 400]:
        raise RuntimeError(f"{failed[0]['path']} answered {failed[0]['status']}.")
    return pages


def p95(took: Sequence[float]) -> float:
    """What 95 of 100 do not exceed, by nearest rank."""
    return sorted(took)[math.ceil(len(took) * 0.95) - 1]
