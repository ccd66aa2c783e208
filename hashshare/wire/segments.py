"""Parquet segments: written as the format says, and verified to be so before anything else looks at them.

The schema and the encoding are those of docs/protocol; what the rows mean for a list's state is in `state`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hashshare.wire.algorithms import KEY_PREFIX
from hashshare.wire.engine import DEFAULT_MEMORY, Engine, literal, open_engine, scalar
from hashshare.wire.entries import Kind, ListFormat, quoted, segment_columns
from hashshare.wire.verification import ROW_GROUP, inspect
from hashshare.wire.vocabulary import WITHDRAW

SHARD_ENTRIES: Final = 1_000_000
"""About how many entries a base's shard holds."""

_PARQUET: Final = (
    f"FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP}, WRITE_BLOOM_FILTER false"
)
"""No Bloom filters: readers would have to believe them, and a sorted key needs none."""

_DICTIONARY: Final = 10_000
_DICTIONARY_SHARE: Final = 8
"""A column with more different values than this, or than one in so many rows, is hashes: the search for a dictionary
would cost a third of the time, and in a small file a dictionary of them is a tenth of its bytes.
"""


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What a segment holds. `low` and `high` are the first and last `p` as 16 hex digits, empty for no rows.

    `upserts` counts op 1 and 3 (all rows of a base); `reasons` counts the withdrawals by reason. `length` in bytes.
    """

    rows: int
    upserts: int
    withdrawals: int
    low: str
    high: str
    length: int
    sha256: str
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shard:
    """One written file of a base."""

    path: Path
    facts: SegmentFacts


def write_delta(engine: Engine, table: str, path: Path, *, fmt: ListFormat) -> SegmentFacts:
    """Writes the rows of `table` (delta columns, unique keys, any order) as the delta `path`, atomically."""
    columns = select_list(fmt, "delta")
    rows = scalar(engine, f"SELECT count(*) FROM {table}")
    write_parquet(engine, f"SELECT {columns} FROM {table} ORDER BY p, s", path, rows=rows)
    return written_facts(engine, f"SELECT op, reason, p FROM {table}", path)


def write_base(
    engine: Engine, table: str, folder: Path, *, fmt: ListFormat, version: int, shard_entries: int = SHARD_ENTRIES
) -> tuple[Shard, ...]:
    """Writes the rows of `table` (base columns, unique keys, any order) as shards `base-<version>-<nnnn>.parquet`.

    Shards are split by key range; the same `p` is never in two of them. No rows: no shards.
    """
    columns = select_list(fmt, "base")
    shards = []
    for number, (low, high) in enumerate(key_ranges(engine, table, shard_entries)):
        path = folder / f"base-{version}-{number:04d}.parquet"
        rows = f"FROM {table} WHERE p BETWEEN {low} AND {high}"
        write_parquet(engine, f"SELECT {columns} {rows} ORDER BY p, s", path)
        facts = written_facts(engine, f"SELECT 1 AS op, NULL::VARCHAR AS reason, p {rows}", path)
        shards.append(Shard(path, facts))
    return tuple(shards)


def verify_segment(
    path: Path,
    *,
    fmt: ListFormat,
    kind: Kind,
    sha256: str | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int = 2,
) -> SegmentFacts:
    """Checks that the hostile file `path` is exactly a segment of `fmt`, on an engine of its own.

    The caller has checked length and digest against what was signed; pass the digest as `sha256` to save hashing
    again. Schema, encoding, bounds, order, uniqueness, widths, vocabulary, footer counts and statistics are checked
    against the values. Raises MalformedSegment in words.
    """
    with open_engine(read=[path], memory=memory, threads=threads, distrust=True) as engine:
        held = inspect(engine, path, fmt=fmt, kind=kind)
    withdrawals = sum(held.reasons.values())
    return SegmentFacts(
        rows=held.rows,
        upserts=held.rows - withdrawals,
        withdrawals=withdrawals,
        low=prefix_text(held.low),
        high=prefix_text(held.high),
        length=path.stat().st_size,
        sha256=sha256 or file_sha256(path),
        reasons=held.reasons,
    )


def select_list(fmt: ListFormat, kind: Kind) -> str:
    """A segment's columns as they stand in a SELECT.

    The engine writes a column that it happens to know to be free of nulls in a few bytes less. What it knows depends on
    where the rows come from; so that the same rows are the same bytes wherever they are written, it is kept from it.
    """
    names = map(quoted, segment_columns(fmt, kind))
    return ", ".join(f"CASE WHEN {name} IS NOT NULL THEN {name} END AS {name}" for name in names)


def write_parquet(engine: Engine, query: str, path: Path, *, rows: int | None = None) -> None:
    """Writes the ordered result of `query` with the format's encoding; the file appears whole or not at all.

    `rows`, the number of them, makes a file of fewer than some 80,000 smaller.
    """
    unfinished = path.with_name(f".{path.name}.part")
    limit = _DICTIONARY if rows is None else max(1, min(_DICTIONARY, rows // _DICTIONARY_SHARE))
    engine.execute(f"COPY ({query}) TO {literal(unfinished.absolute())} ({_PARQUET}, DICTIONARY_SIZE_LIMIT {limit})")
    unfinished.replace(path)


def file_sha256(path: Path) -> str:
    """Lower-case hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prefix_text(prefix: int | None) -> str:
    """A value of `p` as a base index has it: 16 hexadecimal digits."""
    return "" if prefix is None else f"{prefix:0{2 * KEY_PREFIX}x}"


def written_facts(engine: Engine, source: str, path: Path) -> SegmentFacts:
    """What was just written to `path`; `source` is a query for its op, reason and p."""
    counts = f"count(*), count(*) FILTER (op = {WITHDRAW}), min(p), max(p)"
    row = engine.execute(f"SELECT {counts} FROM ({source})").fetchone()
    rows, withdrawals, low, high = row or (0, 0, None, None)
    reasons = f"SELECT reason, count(*) FROM ({source}) WHERE op = {WITHDRAW} GROUP BY reason ORDER BY reason"
    return SegmentFacts(
        rows=rows,
        upserts=rows - withdrawals,
        withdrawals=withdrawals,
        low=prefix_text(low),
        high=prefix_text(high),
        length=path.stat().st_size,
        sha256=file_sha256(path),
        reasons=dict(engine.execute(reasons).fetchall()) if withdrawals else {},
    )


def key_ranges(engine: Engine, table: str, shard_entries: int) -> list[tuple[int, int]]:
    """Inclusive ranges of `p` that hold about `shard_entries` rows each and cover every row."""
    rows = scalar(engine, f"SELECT count(*) FROM {table}")
    shards = -(-rows // shard_entries)
    if shards < 2:
        return [(0, 2**64 - 1)] if rows else []
    steps = [number / shards for number in range(1, shards)]
    found = engine.execute(f"SELECT approx_quantile(p::DOUBLE, {steps}) FROM {table}").fetchone()
    inner = sorted({min(max(int(cut), 1), 2**64 - 1) for cut in (found[0] if found else [])})
    starts = [0, *inner]
    ends = [cut - 1 for cut in inner] + [2**64 - 1]
    ranges = list(zip(starts, ends, strict=True))
    return [span for span in ranges if _holds_rows(engine, table, span)]


def _holds_rows(engine: Engine, table: str, span: tuple[int, int]) -> bool:
    return bool(engine.execute(f"SELECT 1 FROM {table} WHERE p BETWEEN ? AND ? LIMIT 1", list(span)).fetchone())
