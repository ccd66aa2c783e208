"""Merged deltas and renewed bases, made by the publisher's tool; `checks` proves them right at the hub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hashshare.wire.engine import Engine, paths, scalar
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.segments import (
    SHARD_ENTRIES,
    SegmentFacts,
    Shard,
    key_ranges,
    select_list,
    write_delta,
    write_parquet,
    written_facts,
)
from hashshare.wire.state import LATER, HeldState, bulk_rows, entry_columns, fold_deltas, held_rows
from hashshare.wire.vocabulary import WITHDRAW


def merge_deltas(engine: Engine, parts: Sequence[Path], path: Path, *, fmt: ListFormat) -> SegmentFacts:
    """Writes the fold of `parts` (neighbouring deltas in version order) as the delta `path`.

    The last operation of a key wins; tombstones and lapsed rows stay, since they hide what lies under them.
    """
    fold_deltas(engine, parts, fmt=fmt, table="folded")
    return write_delta(engine, "folded", path, fmt=fmt)


def renew_base(
    engine: Engine, state: HeldState, folder: Path, *, version: int, today: date, shard_entries: int = SHARD_ENTRIES
) -> tuple[Shard, ...]:
    """Writes the fold of `state`, entries lapsed by `today` left out, as the shards of a base at `version`.

    Key range by key range, the deltas folded within it, so that memory is that of one shard. Needs no `fold_later`.
    """
    shards: list[Shard] = []
    for low, high in key_ranges(engine, f"({_prefixes(state)})", shard_entries):
        path = folder / f"base-{version}-{len(shards):04d}.parquet"
        facts = _write_range(engine, state, path, within=f"p BETWEEN {low} AND {high}", today=today)
        if facts is not None:
            shards.append(Shard(path, facts))
    return tuple(shards)


def _prefixes(state: HeldState) -> str:
    """About where the entries are; a key that several files name counts as often."""
    bulk = bulk_rows(state, ["p"])
    if not state.rest:
        return bulk
    return f"{bulk} UNION ALL SELECT p FROM read_parquet({paths(state.rest)}) WHERE op <> {WITHDRAW}"


def _write_range(engine: Engine, state: HeldState, path: Path, *, within: str, today: date) -> SegmentFacts | None:
    """One shard, None if nothing is left in its range."""
    _fold_later_within(engine, state, within)
    held = held_rows(state, entry_columns(state.fmt), condition=f"{within} AND ({not_lapsed(state.fmt, today)})")
    if not scalar(engine, f"SELECT count(*) FROM (SELECT p FROM ({held}) LIMIT 1)"):
        return None
    write_parquet(engine, f"SELECT {select_list(state.fmt, 'base')} FROM ({held}) ORDER BY p, s", path)
    return written_facts(engine, f"SELECT 1 AS op, NULL::VARCHAR AS reason, p FROM read_parquet({paths([path])})", path)


def _fold_later_within(engine: Engine, state: HeldState, within: str) -> None:
    """`state.fold_later` for one key range."""
    if not state.rest:
        return
    columns = ", ".join(quoted(column) for column in segment_columns(state.fmt, "delta"))
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE {LATER} AS
        SELECT {columns} FROM (
            SELECT {columns}, file_index FROM read_parquet({paths(state.rest)}) WHERE {within}
        ) QUALIFY row_number() OVER (PARTITION BY p, s ORDER BY file_index DESC) = 1""")
