"""The made-up lists: releases that name every key once, and only keys that are there to be changed or taken back."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.rows import write_changes, write_csv
from benchmarks.sizes import information_limit


def test_releases_add_change_and_withdraw(tmp_path: Path) -> None:
    write_csv(tmp_path / "list.csv", rows=5000)
    for number in range(3):
        write_changes(tmp_path / f"changes-{number}.csv", entries=5000, changes=1000, done=1000 * number)
    with duckdb.connect() as con:
        con.execute(f"CREATE VIEW list AS FROM read_csv('{tmp_path}/list.csv', all_varchar=true)")
        con.execute(f"CREATE VIEW changes AS FROM read_csv('{tmp_path}/changes-*.csv', all_varchar=true)")
        keys = con.execute("SELECT count(*), count(DISTINCT sha256) FROM changes").fetchone()
        held = con.execute("SELECT op, count(*) FROM changes SEMI JOIN list USING (sha256) GROUP BY op").fetchall()
        same = con.execute("SELECT count(*) FROM changes JOIN list USING (sha256, first_seen)").fetchone()
    assert keys == (3000, 3000)
    assert dict(held) == {"upsert": 30, "withdraw": 30}
    assert same == (0,), "a change changes something"


def test_the_limit_of_a_million_keys_is_what_is_published() -> None:
    assert round(information_limit(256, 1_000_000), 3) == 29.689
