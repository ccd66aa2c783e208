"""A base beside the plain way of handing over a list: the same rows as NDJSON, compressed with zstd."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import Figure, Figures, size_text
from benchmarks.rows import HASHES, METADATA, stored_sql
from hashshare.wire.engine import Engine, literal, open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.segments import write_base

make = Figures("ndjson")
ROWS = 1_000_000
MEMORY = "2GiB"


def measure() -> Iterator[Figure]:
    """With the key alone, and with all four hashes; four metadata columns in both."""
    for others in ((), HASHES[1:]):
        yield from compared(others)


def compared(others: tuple[str, ...]) -> Iterator[Figure]:
    """Both are written from the same table in memory by the same engine; the base is sorted on the way."""
    fmt = ListFormat(("sha256", *others), "uk-abc", METADATA)
    what = f"{size_text(ROWS)} entries ({', '.join(fmt.algorithms)}, four metadata columns)"
    with tempfile.TemporaryDirectory() as name, open_engine(write=Path(name), memory=MEMORY) as engine:
        folder = Path(name)
        engine.execute(f"CREATE TABLE rows AS {stored_sql(ROWS, others=others)}")
        ours, size = base(engine, folder, fmt)
        theirs, rival = ndjson(engine, folder, others)
    yield make.compared(
        f"bytes of {what}",
        size / ROWS,
        "B/entry",
        rival=f"NDJSON and zstd, {rival / ROWS:.1f} B/entry",
        ratio=size / rival,
    )
    note = "a base is sorted, hashed and split; the rival is written as the rows come"
    yield make.compared(
        f"seconds to write {what}", ours, "s", rival=f"NDJSON and zstd, {theirs:.2f} s", ratio=ours / theirs, note=note
    )


def base(engine: Engine, folder: Path, fmt: ListFormat) -> tuple[float, int]:
    """(seconds, bytes) of a base as it is published."""
    began = time.perf_counter()
    shards = write_base(engine, "rows", folder, fmt=fmt, version=1)
    return time.perf_counter() - began, sum(shard.facts.length for shard in shards)


def ndjson(engine: Engine, folder: Path, others: tuple[str, ...]) -> tuple[float, int]:
    """(seconds, bytes) of NDJSON with the hashes in hexadecimal, zstd at its usual level."""
    path = folder / "rows.ndjson.zst"
    hashes = ["lower(lpad(hex(p), 16, '0') || hex(s)) AS sha256", *(f"lower(hex({name})) AS {name}" for name in others)]
    began = time.perf_counter()
    engine.execute(
        f"COPY (SELECT {', '.join([*hashes, *METADATA])} FROM rows) TO {literal(path)} (FORMAT json, COMPRESSION zstd)"
    )
    return time.perf_counter() - began, path.stat().st_size
