"""Rules about a release's content, proved by query: what the hub's worker and the member hold a publisher to.

Files named here were verified by `segments.verify_segment` before; the engine may read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from hashshare.wire.algorithms import KEY_PREFIX, guarded
from hashshare.wire.engine import Engine, paths, scalar
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.errors import GuardedHash, NotLive, RejectedContent, WithdrawnKey, WrongFold
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.liveness import find_standing
from hashshare.wire.segments import prefix_text
from hashshare.wire.state import LATER, HeldState, bulk_rows, entry_columns, fold_deltas, held_rows, key_hex
from hashshare.wire.verification import ROW_GROUP
from hashshare.wire.vocabulary import REINSTATE, UPSERT, WITHDRAW

EXAMPLES: Final = 20
"""How many keys a refusal names."""

SLICE: Final = 4 * ROW_GROUP
"""Rows of a merged segment or a shard that are compared at once: what bounds the memory of a proof."""

FINE_SLICE: Final = 2 * ROW_GROUP
"""Rows of all files together that are compared at once in the memory of a member."""

STEP: Final = ROW_GROUP // 16
"""Rows by which such a slice may be too large or too small."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Values of `p` from `low` to `high`, both included; without arguments all of them."""

    low: int = 0
    high: int = 2**64 - 1

    @property
    def condition(self) -> str:
        return f"p BETWEEN {self.low} AND {self.high}"


ALL_KEYS: Final = KeyRange()


@dataclass(frozen=True, slots=True)
class DeltaEffect:
    """What a delta does to a state: new keys, changed entries, keys brought back, keys taken away."""

    added: int
    updated: int
    reinstated: int
    withdrawn: int

    @property
    def growth(self) -> int:
        """By how much the manifest's `entries` must have changed."""
        return self.added + self.reinstated - self.withdrawn


def check_delta(
    engine: Engine, state: HeldState, delta: Path, *, guard: Mapping[str, frozenset[bytes]] | None = None
) -> DeltaEffect:
    """Checks `delta` against the state before it, and returns what it does.

    Withdrawals name held entries (lapsed ones may be), only withdrawn keys are reinstated and none is brought back
    silently, and nothing is on the guard list (`algorithms.guarded` unless `guard` gives it by algorithm name).
    Raises NotLive, WithdrawnKey, RejectedContent, GuardedHash, with facts `count` and `examples` (keys in hexadecimal).
    """
    check_guard(engine, delta, fmt=state.fmt, guard=guard)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE touched AS SELECT op, p, s FROM read_parquet({paths([delta])})")
    find_standing(engine, state, table="touched")
    _refuse(engine, f"op = {WITHDRAW} AND NOT held", NotLive, "withdraws {} keys that the list does not hold")
    _refuse(engine, f"op = {UPSERT} AND gone", WithdrawnKey, "publishes {} withdrawn keys again")
    _refuse(engine, f"op = {REINSTATE} AND NOT gone", RejectedContent, "reinstates {} keys that were not withdrawn")
    row = engine.execute(f"""
        SELECT count(*) FILTER (op = {UPSERT} AND NOT held), count(*) FILTER (op = {UPSERT} AND held),
            count(*) FILTER (op = {REINSTATE}), count(*) FILTER (op = {WITHDRAW}) FROM standing""").fetchone()
    return DeltaEffect(*(row or (0, 0, 0, 0)))


def check_guard(
    engine: Engine, segment: Path, *, fmt: ListFormat, guard: Mapping[str, frozenset[bytes]] | None = None
) -> None:
    """Checks that no hash in `segment` is known to be harmless. Raises GuardedHash."""
    for place, name in enumerate(fmt.algorithms):
        digests = sorted(guarded(name) if guard is None else guard.get(name, frozenset()))
        column = f"unhex({key_hex()})" if place == 0 else quoted(name)
        prefix = (
            f"p IN (SELECT ('0x' || hex(digest[1:{KEY_PREFIX}]))::UBIGINT FROM harmless) AND " if place == 0 else ""
        )
        engine.execute("CREATE OR REPLACE TEMP TABLE harmless AS SELECT unnest($1::BLOB[]) AS digest", [digests])
        rows = f"FROM read_parquet({paths([segment])}) WHERE {prefix}{column} IN (SELECT digest FROM harmless)"
        live = f" AND op <> {WITHDRAW}" if _is_delta(engine, segment) else ""
        if count := scalar(engine, f"SELECT count(*) {rows}{live}"):
            examples = [
                row[0] for row in engine.execute(f"SELECT {key_hex()} {rows}{live} LIMIT {EXAMPLES}").fetchall()
            ]
            those = "1 row has" if count == 1 else f"{count:,} rows have"
            message = f"{those} a {name} known to be that of harmless files."
            raise GuardedHash(message, count=count, examples=examples, algorithm=name)


def check_merge(engine: Engine, parts: Sequence[Path], merged: Path, *, fmt: ListFormat, fine: bool = False) -> None:
    """Checks that `merged` is the fold of the deltas `parts` (in version order) over all columns.

    `fine`: in smaller slices, for a quarter of the memory and more time. Raises WrongFold.
    """
    columns = tuple(segment_columns(fmt, "delta"))
    names = ", ".join(quoted(column) for column in columns)
    for span in _fine_slices(engine, [merged, *parts], ALL_KEYS) if fine else _slices(engine, merged, ALL_KEYS):
        fold_deltas(engine, parts, fmt=fmt, table="folded", condition=span.condition)
        given = f"SELECT {names} FROM read_parquet({paths([merged])}) WHERE {span.condition}"
        _compare(engine, f"SELECT {names} FROM folded", given, columns)


def check_shard(
    engine: Engine, state: HeldState, shard: Path | None, span: KeyRange, *, today: date, fine: bool = False
) -> None:
    """Checks that `shard` (None: no rows) is what the fold of `state` has in the key range `span`.

    Files of `state` without a key in the range may be left out of it. Only entries lapsed by `today` may be missing.
    Slice by slice, so that memory stays bounded; `fine` as in `check_merge`. Raises WrongFold.
    """
    columns = entry_columns(state.fmt)
    names = ", ".join(quoted(column) for column in columns)
    none = bulk_rows(HeldState(state.fmt), columns)
    files = [*state.base, *state.deltas, *([shard] if shard else [])]
    for part in _fine_slices(engine, files, span) if fine else _slices(engine, shard, span):
        fold_deltas(engine, state.rest, fmt=state.fmt, table=LATER, condition=part.condition)
        held = held_rows(state, columns, condition=part.condition)
        given = f"SELECT {names} FROM read_parquet({paths([shard])}) WHERE {part.condition}" if shard else none
        _compare(engine, held, given, columns, may_lack=f"NOT ({not_lapsed(state.fmt, today)})")


def key_ranges(lows: Sequence[int], within: KeyRange = ALL_KEYS) -> list[KeyRange]:
    """`within`, cut at every one of the rising `lows` but the first: nothing is left out, nothing is in two."""
    cuts = [low for low in sorted(set(lows[1:])) if within.low < low <= within.high]
    return [
        KeyRange(*ends) for ends in zip([within.low, *cuts], [*(cut - 1 for cut in cuts), within.high], strict=True)
    ]


def _slices(engine: Engine, given: Path | None, span: KeyRange) -> list[KeyRange]:
    """`span` in pieces that hold `SLICE` rows of the file `given`, as its row groups begin."""
    if given is None:
        return [span]
    starts = engine.execute(
        f"SELECT stats_min_value::UBIGINT FROM parquet_metadata({paths([given])}) WHERE path_in_schema = 'p'"
        f" AND stats_min_value IS NOT NULL AND row_group_id % {SLICE // ROW_GROUP} = 0 ORDER BY row_group_id"
    ).fetchall()
    return key_ranges([start for (start,) in starts], span)


def _fine_slices(engine: Engine, files: Sequence[Path], span: KeyRange) -> list[KeyRange]:
    """`span` in pieces that hold some `FINE_SLICE` rows of all these files together.

    Cut by what is held as well as by what is given, so that no piece grows by what the given file leaves out.
    """
    if not files:
        return [span]
    groups = engine.execute(
        "SELECT stats_min_value::UBIGINT, stats_max_value::UBIGINT, row_group_num_rows"
        f" FROM parquet_metadata({paths(files)}) WHERE path_in_schema = 'p' AND stats_min_value IS NOT NULL"
    ).fetchall()
    # Keys are hashes: within a row group they are spread evenly enough.
    points = sorted(
        low + (high - low) * step // steps
        for low, high, rows in groups
        for steps in [-(-rows // STEP)]
        for step in range(steps)
    )
    return key_ranges(points[:: FINE_SLICE // STEP], span)


def first_prefix(engine: Engine, shard: Path) -> int:
    row = engine.execute(f"SELECT min(p) FROM read_parquet({paths([shard])})").fetchone()
    if row is None or row[0] is None:
        raise WrongFold(f"{shard.name} holds no entries.")
    return int(row[0])


def _compare(engine: Engine, right: str, given: str, columns: Sequence[str], *, may_lack: str = "false") -> None:
    """Compares two sets of rows with unique keys; `may_lack` says which of the right ones need not be given."""
    content = [quoted(column) for column in columns if column not in ("p", "s")]
    differs = " OR ".join(f"it.{column} IS DISTINCT FROM given.{column}" for column in content) or "false"
    row = engine.execute(f"""
        SELECT count(*) FILTER (fault = 'missing'), count(*) FILTER (fault = 'foreign'),
            count(*) FILTER (fault = 'different'), min(p), max(p)
        FROM (
            SELECT coalesce(it.p, given.p) AS p, CASE WHEN it.p IS NULL THEN 'foreign'
                WHEN given.p IS NOT NULL THEN 'different' WHEN NOT lackable THEN 'missing' END AS fault
            FROM (SELECT *, {may_lack} AS lackable FROM ({right})) AS it FULL JOIN ({given}) AS given
                ON it.p = given.p AND it.s = given.s
            WHERE it.p IS NULL OR given.p IS NULL OR {differs})
        WHERE fault IS NOT NULL""").fetchone()
    missing, foreign, different, low, high = row or (0, 0, 0, None, None)
    if missing or foreign or different:
        raise _wrong_fold(low, high, missing=missing, foreign=foreign, different=different)


def _wrong_fold(low: int, high: int, **counts: int) -> WrongFold:
    names = {"missing": "lacks", "foreign": "adds", "different": "changes"}
    told = [f"{names[name]} {count:,} {'row' if count == 1 else 'rows'}" for name, count in counts.items() if count]
    facts: dict[str, Any] = {"low": prefix_text(low), "high": prefix_text(high), **counts}
    return WrongFold(
        f"Among the keys {facts['low']} to {facts['high']} it is not the fold of what it replaces: it"
        f" {' and '.join(told)}. Later keys were not compared.",
        **facts,
    )


def _is_delta(engine: Engine, segment: Path) -> bool:
    described = engine.execute(f"DESCRIBE SELECT * FROM read_parquet({paths([segment])})").fetchall()
    return any(row[0] == "op" for row in described)


def _refuse(engine: Engine, condition: str, error: type[RejectedContent], what: str) -> None:
    if count := scalar(engine, f"SELECT count(*) FROM standing WHERE {condition}"):
        rows = engine.execute(f"SELECT {key_hex()} FROM standing WHERE {condition} ORDER BY p, s LIMIT {EXAMPLES}")
        examples = [row[0] for row in rows.fetchall()]
        message = f"The release {what.format(count)}, such as {examples[0]}."
        raise error(message, count=count, examples=examples)
