"""A list's state as held in verified segments: a base and the deltas after it, folded by query.

Files named here were verified by `segments.verify_segment` before. Every function takes an engine that may read them
(`open_engine(read=state.paths)`). The bulk of a list (its base, or the first delta of a list that has none yet) is
streamed; only the deltas after it, which stay small beside it, are folded in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from hashshare.wire.algorithms import KEY_PREFIX
from hashshare.wire.engine import Engine, paths, scalar
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.vocabulary import WITHDRAW

LATER = "later"
"""Temporary table of the operations after the bulk: the last one of each key."""


@dataclass(frozen=True, slots=True)
class HeldState:
    """Files that make up a list at one version.

    `base`: shards; `deltas`: every segment whose `to` is past the base, in version order; `earlier`: segments up to
    the base, in order, which only tell what was withdrawn (withdrawals are sticky). `ranges`: the first and last `p`
    of each shard, in key order, where they are known; then what asks for a few keys opens only their shards.
    """

    fmt: ListFormat
    base: tuple[Path, ...] = ()
    deltas: tuple[Path, ...] = ()
    earlier: tuple[Path, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file, for `open_engine(read=...)`."""
        return self.base + self.deltas + self.earlier

    @property
    def bulk(self) -> tuple[Path, ...]:
        """The part that is streamed."""
        return self.base or self.deltas[:1]

    @property
    def rest(self) -> tuple[Path, ...]:
        """The deltas that are folded over the bulk."""
        return self.deltas if self.base else self.deltas[1:]

    def around(self, prefixes: Sequence[int]) -> HeldState:
        """The same list with only those shards that can hold a key whose `p` is one of `prefixes`."""
        if len(self.ranges) != len(self.base):
            return self
        pairs = zip(self.base, self.ranges, strict=True)
        kept = [(path, span) for path, span in pairs if any(span[0] <= p <= span[1] for p in prefixes)]
        return replace(self, base=tuple(path for path, _ in kept), ranges=tuple(span for _, span in kept))


# --- Queries ------------------------------------------------------------------------------------------------------


def fold_deltas(
    engine: Engine,
    parts: Sequence[Path],
    *,
    fmt: ListFormat,
    table: str,
    columns: Sequence[str] = (),
    condition: str = "true",
) -> None:
    """Fills the temporary `table` with the last operation of each key in `parts`, which are in version order.

    `columns` beside p and s, all of a delta's if none are given; `condition` may ask of p and s alone.
    """
    kinds = segment_columns(fmt, "delta")
    names = list(dict.fromkeys(["p", "s", *columns])) if columns else list(kinds)
    if not parts:
        typed = ", ".join(f"NULL::{kinds[name]} AS {quoted(name)}" for name in names)
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {typed} LIMIT 0")
        return
    listed = ", ".join(map(quoted, names))
    rows = f"SELECT {listed}, file_index FROM read_parquet({paths(parts)}) WHERE {condition}"
    last = "QUALIFY row_number() OVER (PARTITION BY p, s ORDER BY file_index DESC) = 1" if len(parts) > 1 else ""
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {listed} FROM ({rows} {last})")


def fold_later(engine: Engine, state: HeldState, *, columns: Sequence[str] = (), condition: str = "true") -> None:
    """Fills the temporary table `later`, over which `held_rows` is a query.

    With `columns`, or a `condition` on p and s, it answers only for those columns, or those keys.
    """
    fold_deltas(engine, state.rest, fmt=state.fmt, table=LATER, columns=columns, condition=condition)


def bulk_rows(state: HeldState, columns: Sequence[str], *, condition: str = "true") -> str:
    """A query for `columns` of the bulk's entries, those that later operations touch included."""
    names = ", ".join(quoted(column) for column in columns)
    if not state.bulk:
        kinds = segment_columns(state.fmt, "base")
        names = ", ".join(f"NULL::{kinds[column]} AS {quoted(column)}" for column in columns)
        return f"SELECT {names} LIMIT 0"
    live = "true" if state.base else f"op <> {WITHDRAW}"
    return f"SELECT {names} FROM read_parquet({paths(state.bulk)}) WHERE {live} AND ({condition})"


def held_rows(state: HeldState, columns: Sequence[str], *, condition: str = "true") -> str:
    """A query for `columns` of every entry held, lapsed ones included; needs `fold_later`."""
    if not state.rest:
        return bulk_rows(state, columns, condition=condition)
    names = ", ".join(quoted(column) for column in columns)
    wanted = list(dict.fromkeys(["p", "s", *columns]))
    bulk = bulk_rows(state, wanted, condition=condition)
    return (
        f"SELECT {names} FROM ({bulk}) AS bulk ANTI JOIN {LATER} USING (p, s)"
        f" UNION ALL SELECT {names} FROM {LATER} WHERE op <> {WITHDRAW} AND ({condition})"
    )


def entry_columns(fmt: ListFormat) -> tuple[str, ...]:
    """The columns of an entry, key first, as a base has them."""
    return tuple(segment_columns(fmt, "base"))


def key_hex(prefix: str = "") -> str:
    """The key of a row as lower-case hexadecimal, in SQL."""
    return f"lower(lpad(hex({prefix}p), {2 * KEY_PREFIX}, '0') || hex({prefix}s))"


# --- Questions ----------------------------------------------------------------------------------------------------


def count_entries(engine: Engine, state: HeldState, *, today: date | None = None) -> int:
    """How many entries are held: lapsed ones (`expires` <= `today`, UTC) left out, or in when `today` is None.

    A manifest's `entries` is the count without a date.
    """
    condition = not_lapsed(state.fmt, today)
    fold_later(engine, state, columns=["op", *(["expires"] if "expires" in state.fmt.columns else [])])
    rows = scalar(engine, f"SELECT count(*) FROM ({bulk_rows(state, ['p'], condition=condition)})")
    if not state.rest:
        return rows
    replaced = (
        f"SELECT count(*) FROM ({bulk_rows(state, ['p', 's'], condition=condition)}) SEMI JOIN {LATER} USING (p, s)"
    )
    added = f"SELECT count(*) FROM {LATER} WHERE op <> {WITHDRAW} AND ({condition})"
    return rows - scalar(engine, replaced) + scalar(engine, added)


def collect_withdrawn(engine: Engine, state: HeldState, *, table: str = "withdrawn") -> int:
    """Fills the temporary `table` (p, s) with the keys whose last operation is a withdrawal; returns how many."""
    parts = state.earlier + state.deltas
    if not parts:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} (p UBIGINT, s BLOB)")
        return 0
    rows = f"FROM read_parquet({paths(parts)})"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE taken AS SELECT p, s, max(file_index) AS at {rows} WHERE op = {WITHDRAW}"
        " GROUP BY p, s"
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT p, s FROM taken ANTI JOIN ("
        f"SELECT later.p, later.s FROM (SELECT p, s, file_index {rows} WHERE op <> {WITHDRAW}) AS later"
        " JOIN taken USING (p, s) WHERE later.file_index > taken.at) USING (p, s)"
    )
    return scalar(engine, f"SELECT count(*) FROM {table}")
