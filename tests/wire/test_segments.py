"""Segments are written as the format says, and what was written verifies."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import pytest

from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.segments import verify_segment, write_base, write_delta
from hashshare.wire.verification import ROW_GROUP

from .lists import IMAGES, PLAIN, delta, reinstate, upsert, withdraw

SUFFIX = "unhex(md5(i::VARCHAR) || left(md5((-i)::VARCHAR), 16))"
"""24 bytes of a key, as the engine makes them up."""


def test_it_verifies_what_it_wrote(tmp_path: Path) -> None:
    rows = [*(upsert(number) for number in range(50)), withdraw("a"), withdraw("b", "other"), reinstate("c")]
    path, facts = delta(tmp_path, "delta-1-2", rows)
    assert verify_segment(path, fmt=IMAGES, kind="delta") == facts
    assert (facts.rows, facts.upserts, facts.withdrawals) == (53, 51, 2)
    assert facts.reasons == {"incorrect": 1, "other": 1}
    keys = sorted(row.key for row in rows)
    assert (facts.low, facts.high) == (keys[0][:8].hex(), keys[-1][:8].hex())
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.length == path.stat().st_size


def test_it_verifies_an_empty_segment(tmp_path: Path) -> None:
    path, facts = delta(tmp_path, "delta-1-2", [])
    assert facts.rows == 0
    assert verify_segment(path, fmt=IMAGES, kind="delta") == facts


def test_it_orders_keys_that_share_their_first_eight_bytes(tmp_path: Path) -> None:
    fmt = ListFormat(("pdq",), "uk-abc")
    with open_engine(write=tmp_path) as engine:
        engine.execute(f"CREATE TEMP TABLE t AS SELECT 7::UBIGINT AS p, {SUFFIX} AS s FROM range(5000) r(i)")
        (shard,) = write_base(engine, "t", tmp_path, fmt=fmt, version=3, shard_entries=1000)
    assert verify_segment(shard.path, fmt=fmt, kind="base").rows == 5000


def test_it_splits_a_base_by_key(tmp_path: Path) -> None:
    with open_engine(write=tmp_path) as engine:
        engine.execute(f"CREATE TEMP TABLE t AS SELECT hash(i)::UBIGINT AS p, {SUFFIX} AS s FROM range(30000) r(i)")
        shards = write_base(engine, "t", tmp_path, fmt=PLAIN, version=4, shard_entries=10_000)
        assert write_base(engine, "(SELECT * FROM t LIMIT 0)", tmp_path, fmt=PLAIN, version=5) == ()
    assert [shard.path.name for shard in shards] == [f"base-4-{number:04}.parquet" for number in range(len(shards))]
    assert len(shards) == 3
    assert sum(shard.facts.rows for shard in shards) == 30_000
    for before, after in itertools.pairwise(shards):
        assert before.facts.high < after.facts.low
    for shard in shards:
        assert verify_segment(shard.path, fmt=PLAIN, kind="base") == shard.facts


def test_it_takes_few_bytes_an_entry(tmp_path: Path) -> None:
    """The information limit of 200,000 sorted random 256-bit keys is 29.98 bytes each."""
    rows = 200_000
    with open_engine(write=tmp_path) as engine:
        engine.execute(f"CREATE TEMP TABLE t AS SELECT hash(i)::UBIGINT AS p, {SUFFIX} AS s FROM range({rows}) r(i)")
        (shard,) = write_base(engine, "t", tmp_path, fmt=PLAIN, version=4)
    assert rows > ROW_GROUP
    assert shard.facts.length / rows / 29.98 <= 1.01


def test_a_short_delta_takes_few_bytes_too(tmp_path: Path) -> None:
    """The limit of 1,000 keys is 30.9 bytes each; a dictionary of values that are all different would add five."""
    with open_engine(write=tmp_path) as engine:
        operation = "1::UTINYINT AS op, NULL::VARCHAR AS reason"
        engine.execute(f"CREATE TEMP TABLE t AS SELECT {operation}, hash(i) AS p, {SUFFIX} AS s FROM range(1000) r(i)")
        facts = write_delta(engine, "t", tmp_path / "delta-1-2.parquet", fmt=PLAIN)
    assert facts.length / 1000 <= 34


def test_it_does_not_leave_half_a_file(tmp_path: Path) -> None:
    with open_engine(write=tmp_path) as engine, pytest.raises(Exception, match="boom"):
        write_base(
            engine,
            "(SELECT CASE WHEN i < 3 THEN 1 ELSE error('boom') END::UBIGINT AS p, 'x'::BLOB AS s FROM range(9) r(i))",
            tmp_path,
            fmt=PLAIN,
            version=1,
        )
    assert list(tmp_path.glob("*.parquet")) == []
