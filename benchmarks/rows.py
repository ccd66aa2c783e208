"""Synthetic lists to measure with: hashes of counters, and metadata skewed the way real lists are.

Nothing here is a hash of any picture. The same seed gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

HASHES = ("sha256", "md5", "sha1", "pdq")
METADATA = ("category", "age_band", "media", "first_seen")
COLUMNS = (*HASHES, *METADATA)

SHARE_CHANGED, SHARE_WITHDRAWN = 0.01, 0.01
"""Of a release's changes: entries with other metadata, and entries taken back. The rest is new."""


def write_csv(
    path: Path, *, rows: int, seed: str = "hashshare", first: int = 0, columns: Sequence[str] = COLUMNS
) -> None:
    """A CSV of `rows` entries with `columns`, keys from `first` on."""
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT {', '.join(columns)} FROM ({entries_sql(rows, seed, first)})) TO '{path}' (HEADER)")


def write_changes(
    path: Path, *, entries: int, changes: int, done: int, columns: Sequence[str] = COLUMNS, seed: str = "hashshare"
) -> None:
    """A file of `changes` operations on a list that began with `entries`, after `done` operations of such files.

    No key is named twice over all files, as long as `done` stays below `entries` / SHARE_CHANGED / 2.
    """
    changed, withdrawn = int(changes * SHARE_CHANGED), int(changes * SHARE_WITHDRAWN)
    before_changed, before_withdrawn = int(done * SHARE_CHANGED), int(done * SHARE_WITHDRAWN)
    named = ", ".join(columns)
    other = ", ".join("first_seen + 1 AS first_seen" if name == "first_seen" else name for name in columns)
    empty = ", ".join([columns[0], *(f"NULL AS {name}" for name in columns[1:])])
    new = entries_sql(changes - changed - withdrawn, seed, entries + done)
    same = entries_sql(changed, seed, before_changed)
    gone = entries_sql(withdrawn, seed, entries - before_withdrawn - withdrawn)
    rows = f"""
        SELECT 'upsert' AS op, NULL AS reason, {named} FROM ({new})
        UNION ALL SELECT 'upsert', NULL, {other} FROM ({same})
        UNION ALL SELECT 'withdraw', 'incorrect', {empty} FROM ({gone})"""
    with duckdb.connect() as con:
        con.execute(f"COPY ({rows}) TO '{path}' (FORMAT csv, HEADER)")


def entries_sql(rows: int, seed: str, first: int) -> str:
    """SQL for the rows: hex text for hashes, so that it reads as a hotline's export would."""
    return f"""
        SELECT sha256('{seed}' || i) AS sha256, md5('{seed}m' || i) AS md5,
               substr(sha256('{seed}s' || i), 1, 40) AS sha1, sha256('{seed}p' || i) AS pdq,
               CASE WHEN hash(i) % 100 < 8 THEN 'A' WHEN hash(i) % 100 < 20 THEN 'B' ELSE 'C' END AS category,
               (['0-2', '3-6', '7-10', '11-13', '14-15', '16-17'])[1 + (least(hash(i + 1) % 12, 5))::INT] AS age_band,
               CASE WHEN hash(i + 2) % 100 < 93 THEN 'image' ELSE 'video' END AS media,
               DATE '2023-01-01' + (hash(i + 3) % 1400)::INT AS first_seen
        FROM range({first}, {first + rows}) AS r(i)
    """


def stored_sql(rows: int, *, key: str = "sha256", others: Sequence[str] = ()) -> str:
    """SQL for the rows as a base keeps them: the key in two parts, further hashes as bytes, all metadata."""
    split = f"('0x' || substr({key}, 1, 16))::UBIGINT AS p, unhex(substr({key}, 17)) AS s"
    hashes = [f"unhex({name}) AS {name}" for name in others]
    return f"SELECT {', '.join([split, *hashes, *METADATA])} FROM ({entries_sql(rows, 'hashshare', 0)})"
