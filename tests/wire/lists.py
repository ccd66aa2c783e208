"""Lists of Aurora for the tests of the data plane: formats, rows of hashed random bytes, and files of them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.segments import SegmentFacts, write_delta

TODAY = date(2026, 11, 22)

PLAIN = ListFormat(("sha256",), "uk-abc")
IMAGES = ListFormat(("sha256", "md5"), "uk-abc", ("category", "first_seen", "expires"))
FULL = ListFormat(
    ("sha256", "md5", "sha1", "pdq"),
    "ncmec",
    ("category", "age_band", "media", "origin", "first_seen", "expires", "pdq_quality"),
)


def digest(seed: object, width: int = 32) -> bytes:
    """A hash of nothing but the seed."""
    return hashlib.shake_256(repr(seed).encode()).digest(width)


@dataclass(frozen=True)
class Row:
    """An operation on one entry of IMAGES."""

    key: bytes
    op: int = 1
    reason: str | None = None
    md5: bytes | None = None
    category: str | None = None
    expires: date | None = None

    @property
    def content(self) -> tuple[object, ...]:
        return (self.md5, self.category, self.expires)


def upsert(seed: object, *, op: int = 1, category: str = "A", expires: date | None = None) -> Row:
    return Row(digest(seed), op, None, digest(("md5", seed), 16), category, expires)


def reinstate(seed: object, category: str = "A") -> Row:
    return upsert(seed, op=3, category=category)


def withdraw(seed: object, reason: str = "incorrect") -> Row:
    return Row(digest(seed), 2, reason)


def fill(engine: Engine, rows: Iterable[Row], *, table: str = "rows") -> None:
    """A table of delta rows of IMAGES."""
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in segment_columns(IMAGES, "delta").items())
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({columns})")
    for row in rows:
        values = [row.op, row.reason, int.from_bytes(row.key[:8], "big"), row.key[8:], row.md5, row.category]
        engine.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, NULL, ?)", [*values, row.expires])


def delta(folder: Path, name: str, rows: Iterable[Row]) -> tuple[Path, SegmentFacts]:
    """Writes a delta of IMAGES."""
    path = folder / f"{name}.parquet"
    with open_engine(write=folder) as engine:
        fill(engine, rows)
        return path, write_delta(engine, "rows", path, fmt=IMAGES)


def csv_rows(count: int, fmt: ListFormat, *, seed: int = 1) -> list[dict[str, str]]:
    """Valid rows of a file of entries."""
    choose = random.Random(seed)
    words = {
        "category": ("A", "B", "C") if fmt.scheme == "uk-abc" else ("A1", "A2", "B1", "B2"),
        "age_band": ("0-2", "7-10", "16-17"),
        "media": ("image", "video"),
        "origin": ("camera", "unknown"),
        "first_seen": ("2019-02-28", "2024-02-29"),
        "expires": ("2027-01-01", ""),
        "pdq_quality": ("0", "100", ""),
    }
    widths = {"sha256": 32, "md5": 16, "sha1": 20, "pdq": 32}
    hashes = [
        {name: digest((seed, number, name), widths[name]).hex() for name in fmt.algorithms} for number in range(count)
    ]
    return [it | {column: choose.choice(words[column]) for column in fmt.columns} for it in hashes]


def csv_text(rows: Iterable[Mapping[str, str]], *, mark: str = ",", end: str = "\n") -> str:
    """Rows as CSV with a header."""
    rows = list(rows)
    lines = [mark.join(rows[0]), *(mark.join(row.values()) for row in rows)]
    return end.join(lines) + end
