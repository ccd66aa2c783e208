"""Bytes an entry against the information limit of its sorted keys, log2 C(2^b, n) / 8n."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Figure, Figures
from benchmarks.rows import METADATA, stored_sql
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.segments import write_base

make = Figures("sizes")
ROWS = 1_000_000
GOALS = {"sha256": 1.01, "sha1": 1.015, "md5": 1.02}
BITS = {"sha256": 256, "sha1": 160, "md5": 128}


def measure() -> Iterator[Figure]:
    """One figure a key width, and one for an entry with four metadata columns."""
    for algorithm, goal in GOALS.items():
        size, limit = bytes_per_entry(algorithm, ()), information_limit(BITS[algorithm], ROWS)
        name, rival = f"key bytes, {algorithm}, {ROWS // 1_000_000}M entries", f"information limit {limit:.3f} B"
        yield make.compared(name, size, "B/entry", rival=rival, ratio=size / limit, goal=f"<= {goal}")
    for algorithm in ("sha256", "pdq"):
        size, limit = bytes_per_entry(algorithm, METADATA), information_limit(256, ROWS)
        name = f"entry with four metadata columns, {algorithm} key"
        yield make.bounded(name, size, "B/entry", "<= 32.5 B", rival=f"limit of the key alone {limit:.3f} B")


def information_limit(bits: int, entries: int) -> float:
    """Bytes an entry that any encoding of a set of `entries` random keys of `bits` bits needs.

    log2 C(N, n) by Stirling's formula, in which N = 2^b cancels: n (b - log2 n + log2 e) - log2(2 pi n) / 2.
    """
    total = entries * (bits - math.log2(entries) + math.log2(math.e)) - math.log2(2 * math.pi * entries) / 2
    return total / 8 / entries


def bytes_per_entry(algorithm: str, columns: tuple[str, ...]) -> float:
    """The size of a base of ROWS entries, written as it is published."""
    fmt = ListFormat((algorithm,), "uk-abc", columns)
    with tempfile.TemporaryDirectory() as name, open_engine(write=Path(name), memory="1GiB") as engine:
        rows = stored_sql(ROWS, key=algorithm)
        engine.execute(f"CREATE TABLE rows AS SELECT {', '.join(['p', 's', *columns])} FROM ({rows})")
        shards = write_base(engine, "rows", Path(name), fmt=fmt, version=1)
        return sum(shard.facts.length for shard in shards) / ROWS
