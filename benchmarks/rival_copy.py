"""The rival of publishing: COPY of the same rows into a PostgreSQL table with an index per hash."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import psycopg

TABLE = """
    CREATE UNLOGGED TABLE entries (
        sha256 bytea PRIMARY KEY, md5 bytea, sha1 bytea, pdq bytea,
        category text, age_band text, media text, first_seen date
    )
"""
INDEXES = tuple(f"CREATE INDEX ON entries ({name})" for name in ("md5", "sha1", "pdq"))


def seconds_to_copy(csv: Path, dsn: str, *, logged: bool = True) -> float:
    """Seconds of COPY alone into the indexed table, rewriting hex as PostgreSQL reads it beforehand, untimed."""
    prepared = csv.with_suffix(".pg.csv")
    hashes = ", ".join(f"'\\x' || {name} AS {name}" for name in ("sha256", "md5", "sha1", "pdq"))
    rows = f"read_csv('{csv}', all_varchar=true, header=true)"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT {hashes}, category, age_band, media, first_seen FROM {rows}) "
            f"TO '{prepared}' (FORMAT csv, HEADER false)"
        )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS entries")
        connection.execute(TABLE.replace("UNLOGGED ", "") if logged else TABLE)
        for index in INDEXES:
            connection.execute(index)
        started = time.perf_counter()
        with prepared.open("rb") as source, connection.cursor().copy("COPY entries FROM STDIN (FORMAT csv)") as copy:
            while chunk := source.read(1 << 20):
                copy.write(chunk)
        elapsed = time.perf_counter() - started
        connection.execute("DROP TABLE entries")
    prepared.unlink()
    return elapsed
