"""Finding entries by their hashes: only the shards, row groups and operations that can hold them are looked at.

A segment is sorted by key, so its footer says which row groups can hold a key, and a lookup by the key algorithm reads
little more than those. By a further algorithm (md5 beside a sha256 key) that whole column is read, and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from hashshare.wire.algorithms import KEY_PREFIX
from hashshare.wire.engine import Engine, paths
from hashshare.wire.entries import Entry, ListFormat, quoted, row_columns
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.state import HeldState, entry_columns, fold_later, held_rows, key_hex

FEW: Final = 200
"""Up to so many prefixes stand in the query itself, where the reader skips row groups by them; more are joined."""


def lookup(
    engine: Engine, state: HeldState, digests: Sequence[bytes], *, algorithm: str, today: date | None
) -> dict[bytes, tuple[Entry, ...]]:
    """The live entries that have each of `digests` under `algorithm` (the key's or a further one); absent: no match."""
    if not digests or algorithm not in state.fmt.algorithms:
        return {}
    by_key = algorithm == state.fmt.key.name
    prefixes = _seek_keys(engine, digests) if by_key else _seek_column(engine, state, digests, quoted(algorithm))
    if by_key and len(prefixes) > FEW:
        prefixes = _present(engine, state, prefixes)
    if not prefixes:
        return {}
    found: dict[bytes, tuple[Entry, ...]] = {}
    asked = set(digests)
    for entry in _entries(engine, state, prefixes, today=today):
        digest = entry.key if by_key else entry.hashes.get(algorithm)
        if digest in asked:
            found[digest] = (*found.get(digest, ()), entry)
    return found


def _seek_keys(engine: Engine, digests: Iterable[bytes]) -> list[int]:
    """Fills the temporary table `sought` (p, s) with these keys; their different prefixes."""
    engine.execute(
        f"""CREATE OR REPLACE TEMP TABLE sought AS
        SELECT ('0x' || hex(digest[1:{KEY_PREFIX}]))::UBIGINT AS p, digest[{KEY_PREFIX + 1}:] AS s
        FROM (SELECT DISTINCT unnest($1::BLOB[]) AS digest)""",
        [list(digests)],
    )
    return _prefixes(engine, "sought")


def _seek_column(engine: Engine, state: HeldState, digests: Sequence[bytes], column: str) -> list[int]:
    """Fills `sought` with the keys of every row, in the base or any delta, that has one of `digests` in `column`."""
    if len(digests) <= FEW:
        wanted = ", ".join(f"unhex('{digest.hex()}')" for digest in digests)
    else:
        engine.execute("CREATE OR REPLACE TEMP TABLE digests AS SELECT unnest($1::BLOB[]) AS digest", [list(digests)])
        wanted = "SELECT digest FROM digests"
    engine.execute("CREATE OR REPLACE TEMP TABLE sought (p UBIGINT, s BLOB)")
    for files in (state.base, state.deltas):
        if files:
            rows = f"FROM read_parquet({paths(files)}) WHERE {column} IN ({wanted})"
            engine.execute(f"INSERT INTO sought SELECT DISTINCT p, s {rows}")
    return _prefixes(engine, "sought")


def _present(engine: Engine, state: HeldState, prefixes: Sequence[int]) -> list[int]:
    """Those of many sought prefixes that are on the list at all, as a rule few: only column p is read for it."""
    near = state.around(prefixes)
    parts = [files for files in (near.base, near.deltas) if files]
    if not parts:
        return []
    rows = " UNION ALL ".join(f"SELECT p FROM read_parquet({paths(it)})" for it in parts)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE hits AS SELECT p FROM ({rows}) SEMI JOIN sought USING (p)")
    return _prefixes(engine, "hits")


def _prefixes(engine: Engine, table: str) -> list[int]:
    return [p for (p,) in engine.execute(f"SELECT DISTINCT p FROM {table}").fetchall()]


def _entries(engine: Engine, state: HeldState, prefixes: Sequence[int], *, today: date | None) -> list[Entry]:
    """The live entries among the keys in `sought`, which have no other prefixes than these."""
    near = state.around(prefixes)
    condition = f"p IN ({', '.join(map(str, prefixes)) if len(prefixes) <= FEW else 'SELECT p FROM sought'})"
    fold_later(engine, near, condition=condition)
    held = held_rows(near, entry_columns(state.fmt), condition=f"({condition}) AND ({not_lapsed(state.fmt, today)})")
    columns = ", ".join(["unhex(" + key_hex() + ")", *(quoted(column) for column in row_columns(state.fmt))])
    rows = engine.execute(f"SELECT {columns} FROM ({held}) SEMI JOIN sought USING (p, s)").fetchall()
    return [_entry(state.fmt, row) for row in rows]


def _entry(fmt: ListFormat, row: Sequence[object]) -> Entry:
    values = dict(zip(row_columns(fmt), row[1:], strict=True))
    further = {it.name: values[it.name] for it in fmt.further}
    metadata = {column: values[column] for column in fmt.columns}
    return Entry(
        bytes(row[0]),  # type: ignore[call-overload]
        {name: value for name, value in further.items() if isinstance(value, bytes)},
        {name: value for name, value in metadata.items() if isinstance(value, str | int | date)},
    )
