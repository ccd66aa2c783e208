"""Long histories: what a member pays who missed a day, a month or a year of a release every five minutes.

The plan is simulated at every head over the very rule that publishes; a segment's bytes are those of real segments.
"""

from __future__ import annotations

import random
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from benchmarks.results import Figure, Figures
from benchmarks.rows import entries_sql
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.merging import Part, merged
from hashshare.wire.segments import write_delta

make: Final = Figures("histories")
GOALS: Final = {288: 14, 8_928: 20, 105_120: 25}
"""Missed releases to requests, at equal sizes."""
HEADS: Final = 106_000
FORMAT: Final = ListFormat(("sha256",), "uk-abc", ("category", "age_band", "media", "first_seen"))
MEASURED: Final = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
EVERY: Final = 97
"""Bytes are looked at for one head in so many."""

Shape = Callable[[int, random.Random], int]
SHAPES: Final[dict[str, Shape]] = {
    "equal sizes": lambda _, __: 100,
    "a tenth more or less": lambda _, chance: chance.randint(90, 110),
    "one burst": lambda version, _: 500_000 if version == HEADS // 2 else 100,
    "Pareto": lambda _, chance: int(20 * chance.paretovariate(1.2)),
    "alternating": lambda version, _: 1 if version % 2 else 200,
    "shrinking": lambda version, _: (HEADS - version) // 500 + 1,
    "growing": lambda version, _: version // 500 + 1,
    "half of them empty": lambda _, chance: 200 * chance.randint(0, 1),
}


def measure() -> Iterator[Figure]:
    """Requests and bytes for each shape and each number of missed releases, and the most operations for any start."""
    size_of = sizes()
    for shape, size in SHAPES.items():
        chance = random.Random(1)
        worst = simulate([size(version, chance) for version in range(1, HEADS + 1)], size_of)
        for missed, goal in GOALS.items():
            yield requests(shape, missed, goal, worst)
        yield make.bounded(
            f"catch-up, {shape}, operations fetched, worst start",
            worst.operations,
            "times those published",
            "<= 2",
        )
        yield make.plain(
            f"operations written, {shape}, {HEADS:,} releases",
            worst.written,
            "times those published",
            note="by merges, besides the once in a release of its own",
        )


def requests(shape: str, missed: int, goal: int, worst: Worst) -> Figure:
    """The most segments at any head; a goal only at equal sizes."""
    name, number = f"catch-up over {missed:,} releases, {shape}, worst head", worst.requests[missed]
    more = f"at most {worst.bytes[missed]:.3g} times the bytes of one segment of the same operations"
    if shape == "equal sizes":
        return make.bounded(name, number, "requests", f"<= {goal}", note=more)
    return make.plain(name, number, "requests", note=more)


@dataclass
class Worst:
    """The most found so far: requests and bytes by missed releases, operations by any start, what was written."""

    requests: dict[int, int]
    bytes: dict[int, float]
    operations: float = 0.0
    written: float = 0.0


def simulate(sizes: Sequence[int], size_of: Callable[[int], int]) -> Worst:
    """Publish releases of these operations, none of which meets another on a key, and look at every head."""
    worst = Worst(dict.fromkeys(GOALS, 0), dict.fromkeys(GOALS, 0.0))
    published = [0, 0, *accumulate(sizes)]
    chain: list[Part] = []
    written = 0
    for version, size in enumerate(sizes, start=2):
        before = [*chain, Part(version - 1, version, size)]
        chain = merged(before)
        if len(chain) != len(before):
            written += sum(part.operations for part in set(chain).difference(before))
        look(chain, published, worst, size_of if version % EVERY == 0 else None)
    worst.written = written / published[-1]
    return worst


def look(chain: Sequence[Part], published: Sequence[int], worst: Worst, size_of: Callable[[int], int] | None) -> None:
    """One head. The worst start within a part is just before its last release."""
    head = chain[-1].end
    cost, number, length = 0, 0, 0
    waiting = [missed for missed in GOALS if missed < head]
    for part in reversed(chain):
        cost, number = cost + part.operations, number + 1
        length += size_of(part.operations) if size_of else 0
        lacking = published[head] - published[part.end - 1]
        if cost > worst.operations * lacking:
            worst.operations = cost / lacking
        while waiting and part.start <= head - waiting[0]:
            missed = waiting.pop(0)
            worst.requests[missed] = max(worst.requests[missed], number)
            if size_of:
                least = size_of(published[head] - published[head - missed])
                worst.bytes[missed] = max(worst.bytes[missed], length / least)


def sizes() -> Callable[[int], int]:
    """Bytes of a segment by its operations: between real ones in proportion, above the largest at its bytes each."""
    with tempfile.TemporaryDirectory() as folder:
        lengths = [written(rows, Path(folder)) for rows in MEASURED]

    def size_of(operations: int) -> int:
        place = min(max(bisect_left(MEASURED, operations), 1), len(MEASURED) - 1)
        (low, high), (least, most) = MEASURED[place - 1 : place + 1], lengths[place - 1 : place + 1]
        return round(least + (most - least) * (max(operations, 1) - low) / (high - low))

    return size_of


def written(rows: int, folder: Path) -> int:
    """Bytes of a real delta of so many upserts with four columns of metadata."""
    with open_engine(write=folder, memory="512MiB") as engine:
        engine.execute(
            "CREATE TABLE rows AS SELECT 1::UTINYINT AS op, NULL::VARCHAR AS reason, "
            "('0x' || substr(sha256, 1, 16))::UBIGINT AS p, unhex(substr(sha256, 17)) AS s, "
            f"category, age_band, media, first_seen FROM ({entries_sql(rows, 'histories', 0)})"
        )
        return write_delta(engine, "rows", folder / f"{rows}.parquet", fmt=FORMAT).length
