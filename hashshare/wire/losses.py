"""Which entries a list loses between two states: what the hub counts of a release, and a member of a sync.

An entry is lost when it is withdrawn, and as well when an upsert weakens it: it ends sooner than it did, or one of its
further hashes is taken away or changed. Otherwise whoever holds a stolen feed key would let a list lapse instead of
withdrawing it. What lapses on the day that was always signed for it is no loss.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from hashshare.wire.checks import KeyRange, key_ranges
from hashshare.wire.engine import Engine, scalar
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.liveness import read_met
from hashshare.wire.state import HeldState, fold_later, held_rows
from hashshare.wire.vocabulary import UPSERT

ROWS: Final = 250_000
"""Entries that are compared at once."""


def weakenable(fmt: ListFormat) -> tuple[str, ...]:
    """The columns of an entry in which it can be weakened."""
    further = tuple(hashed.name for hashed in fmt.further)
    return (*further, "expires") if "expires" in fmt.columns else further


def count_weakened(engine: Engine, state: HeldState, *, rows: str) -> int:
    """How many held entries the upserts among `rows` weaken; after `find_standing` over their keys.

    `rows`: a table, or what else may follow FROM, with the columns of a delta.
    """
    columns = weakenable(state.fmt)
    updated = f"SELECT p, s FROM standing WHERE op = {UPSERT} AND held"
    if not columns or not scalar(engine, f"SELECT count(*) FROM ({updated})"):
        return 0
    kinds = {name: kind for name, kind in segment_columns(state.fmt, "delta").items() if name in columns}
    names = "".join(f", {quoted(column)}" for column in columns)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE updated AS SELECT p, s{names} FROM {rows} SEMI JOIN ({updated}) USING (p, s)"
    )
    read_met(engine, state.base, state.deltas, table="updated", columns=kinds)
    last = "SELECT * FROM met QUALIFY row_number() OVER (PARTITION BY p, s ORDER BY file DESC) = 1"
    return scalar(
        engine,
        f"SELECT count(*) FROM updated AS given JOIN ({last}) AS held"
        f" ON given.p = held.p AND given.s = held.s WHERE {_weaker(state.fmt)}",
    )


def count_lost(engine: Engine, before: HeldState, after: HeldState, *, entries: int, today: date) -> int:
    """How many of the some `entries` of `before` that have not lapsed by `today` (UTC) `after` has lost.

    Slice by slice of the keys, so that memory stays bounded.
    """
    return sum(_count_lost(engine, before, after, span, today) for span in _even_ranges(entries // ROWS + 1))


def _count_lost(engine: Engine, before: HeldState, after: HeldState, span: KeyRange, today: date) -> int:
    columns = ("p", "s", *weakenable(before.fmt))
    live = f"({span.condition}) AND ({not_lapsed(before.fmt, today)})"
    fold_later(engine, before, condition=span.condition)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE held_before AS {held_rows(before, columns, condition=live)}")
    fold_later(engine, after, condition=span.condition)
    rows = held_rows(after, columns, condition=span.condition)
    return scalar(
        engine,
        f"SELECT count(*) FROM held_before AS held LEFT JOIN ({rows}) AS given ON given.p = held.p AND given.s = held.s"
        f" WHERE given.p IS NULL OR {_weaker(before.fmt)}",
    )


def _even_ranges(number: int) -> list[KeyRange]:
    """Keys are hashes, so equal ranges hold about as many."""
    return key_ranges([part * 2**64 // number for part in range(number)])


def _weaker(fmt: ListFormat) -> str:
    """Whether the row `given` says less than the row `held` of the same key."""
    lost = [f"(held.{it} IS NOT NULL AND given.{it} IS DISTINCT FROM held.{it})" for it in _further(fmt)]
    if "expires" in fmt.columns:
        lost.append("coalesce(given.expires < held.expires, given.expires IS NOT NULL AND held.expires IS NULL)")
    return " OR ".join(lost) or "false"


def _further(fmt: ListFormat) -> list[str]:
    return [quoted(hashed.name) for hashed in fmt.further]
