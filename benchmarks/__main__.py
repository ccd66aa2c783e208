"""`python -m benchmarks [SCENARIO...]`: measure; a run of all of them rewrites results, drawing and pages.

A scenario that fails is named with its error, in the results too; the others still run, and the exit status is 1.
A goal that is not reached is reported and is no failure.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    chart,
    histories,
    log,
    ndjson,
    page,
    pages,
    pages_large,
    polling,
    publishing,
    reading,
    releases,
    renewal,
    results,
    scale,
    sealing,
    sizes,
    syncing,
)
from benchmarks.bed import QUICK, Bed, Scale, bed
from benchmarks.results import Figure, Record

SCENARIOS: dict[str, Callable[[Bed], Iterable[Figure]]] = {
    "sizes": lambda _: sizes.measure(),
    "ndjson": lambda _: ndjson.measure(),
    "histories": lambda _: histories.measure(),
    "log": lambda _: log.measure(),
    "publish": publishing.measure,
    "sync": syncing.measure,
    "releases": releases.measure,
    "sealing": sealing.measure,
    "poll": polling.measure,
    "pages": pages.measure,
    "pages-large": pages_large.measure,
    "reading": reading.measure,
    "renewal": renewal.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when a scenario failed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; all of them when none is named")
    parser.add_argument("--keep", action="store_true", help="put these scenarios in the place of theirs in the results")
    parser.add_argument("--quick", action="store_true", help="on small lists, to see whether it works; writes nothing")
    parser.add_argument("--releases", type=int, default=Scale().releases, help="in a series (default: %(default)s)")
    parser.add_argument("--hub", type=Path, metavar="DIR", help="keep the hub of pages-large there, or use it again")
    given = parser.parse_args(arguments)
    if unknown := set(given.scenario) - set(SCENARIOS):
        parser.error(f"unknown scenario: {', '.join(sorted(unknown))}")
    chosen = given.scenario or list(SCENARIOS)
    size = QUICK if given.quick else Scale(releases=given.releases)
    with bed(size, hub=given.hub) as shared:
        records = [record(name, shared) for name in chosen]
    if not given.quick and (given.keep or set(chosen) == set(SCENARIOS)):
        write(results.merged(results.load() if given.keep else [], records, list(SCENARIOS)))
    failed = [kept.scenario for kept in records if kept.error]
    if failed:
        print(f"\nFAILED: {', '.join(failed)}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def record(name: str, shared: Bed) -> Record:
    """Run one scenario; what it measured before an error is kept."""
    print(f"\n--- {name}", flush=True)
    figures, error, began, at = [], "", time.perf_counter(), datetime.now(UTC)
    try:
        for figure in SCENARIOS[name](shared):
            figures.append(figure)
            print(line(figure), flush=True)
    except Exception as problem:  # noqa: BLE001 (whatever it is, the others shall still run)
        error = f"{type(problem).__name__}: {problem}"
        traceback.print_exc()
        print(f"\nTHE SCENARIO {name} FAILED: {error}\n", file=sys.stderr, flush=True)
    return Record(name, at.strftime("%Y-%m-%d %H:%M UTC"), time.perf_counter() - began, error, tuple(figures))


def line(figure: Figure) -> str:
    """One figure for the terminal."""
    ratio = "" if figure.ratio is None else f"  ratio {figure.ratio:.4g}"
    met = {True: "met", False: "NOT MET", None: ""}[figure.met]
    return f"{figure.figure:<78} {figure.value:>12,.4g} {figure.unit}{ratio}  {figure.goal} {met}".rstrip()


def write(records: Sequence[Record]) -> None:
    """The results file, the drawing, and the pages that stand on them."""
    results.save(records)
    chart.write(page.figures_of(records))
    page.write(records)
    if scale.main():
        print("docs/scale.md was left as it is.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
