"""What a list holds of the keys that a list of changes names, found without reading the rest of the list.

The bulk is searched by `p` alone. Of the hits `s` is read, metadata only where it is to be compared, and the further
hashes, which are most of the bytes, only where metadata is the same. Withdrawals are read from the chain's deltas.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hashshare.wire.engine import Engine, paths, scalar
from hashshare.wire.entries import quoted, segment_columns
from hashshare.wire.state import HeldState, entry_columns
from hashshare.wire.vocabulary import WITHDRAW

HELD: Final = "standing"
"""Temporary table: the entries held (lapsed ones included) among the keys asked for, in base columns."""

FEW_HITS: Final = 5_000
"""Up to so many rows are fetched by their numbers, which lets the reader leave out whatever has none of them. Beyond,
almost every page has one, and a join costs less than a list of numbers."""


def collect_standing(engine: Engine, state: HeldState, *, keys: str) -> int:
    """Fills the temporary tables `standing` and `withdrawn` (p, s) for the keys in the table `keys`.

    `keys` has the columns of a delta. Content that the answer does not hang on is left null: that of a key to be
    withdrawn, and the further hashes of one whose metadata differs anyway. Returns how many keys are withdrawn.
    """
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE sought AS SELECT p, bool_or(op <> {WITHDRAW}) AS compared FROM {keys} GROUP BY p"
    )
    columns = entry_columns(state.fmt)
    _collect_last(engine, state, state.rest, columns, table="standing_later")
    _collect_last(engine, state, state.earlier + state.deltas, ("p", "s"), table="standing_ever")
    _collect_bulk(engine, state, keys)
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE withdrawn AS
        SELECT p, s FROM standing_ever SEMI JOIN {keys} USING (p, s) WHERE op = {WITHDRAW}""")
    names = _names(columns)
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE {HELD} AS
        SELECT {names} FROM (
            SELECT {names} FROM standing_bulk ANTI JOIN standing_later USING (p, s)
            UNION ALL SELECT {names} FROM standing_later WHERE op <> {WITHDRAW}
        ) SEMI JOIN {keys} USING (p, s)""")
    return scalar(engine, "SELECT count(*) FROM withdrawn")


def _collect_last(
    engine: Engine, state: HeldState, parts: Sequence[Path], columns: Sequence[str], *, table: str
) -> None:
    """Fills `table` with the last operation in the deltas `parts`, in version order, on each key of a sought prefix."""
    names = _names(["op", *columns])
    if not parts:
        kinds = segment_columns(state.fmt, "delta")
        typed = ", ".join(f"NULL::{kinds[column]} AS {quoted(column)}" for column in ("op", *columns))
        engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {typed} LIMIT 0")
        return
    rows = f"SELECT {names}, file_index FROM read_parquet({paths(parts)}) SEMI JOIN sought USING (p)"
    last = "QUALIFY row_number() OVER (PARTITION BY p, s ORDER BY file_index DESC) = 1"
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {names} FROM ({rows}) {last}")


# --- the bulk -----------------------------------------------------------------------------------------------------


def _collect_bulk(engine: Engine, state: HeldState, keys: str) -> None:
    """Fills `standing_bulk` with the bulk's entries of sought prefixes, and where they stand."""
    kinds = segment_columns(state.fmt, "base")
    typed = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    engine.execute(f"CREATE OR REPLACE TEMP TABLE standing_bulk ({typed}, place BIGINT, number BIGINT)")
    if not state.bulk:
        return
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE hits AS
        SELECT file_index AS place, file_row_number AS number, compared
        FROM read_parquet({paths(state.bulk)}, file_row_number = true) JOIN sought USING (p)""")
    if scalar(engine, "SELECT count(*) FROM hits") > FEW_HITS:
        columns = _names(entry_columns(state.fmt))
        engine.execute(f"""
            INSERT INTO standing_bulk BY NAME SELECT {columns} FROM read_parquet({paths(state.bulk)})
            SEMI JOIN sought USING (p) WHERE {_live(state)}""")
        return
    for condition, further in (("NOT compared", ()), ("compared", state.fmt.columns)):
        found = _fetch(engine, state, ("p", "s", *further), f"SELECT place, number FROM hits WHERE {condition}")
        if found:
            engine.execute(f"INSERT INTO standing_bulk BY NAME {found}")
    _complete(engine, state, keys)


def _complete(engine: Engine, state: HeldState, keys: str) -> None:
    """Adds the further hashes of entries whose metadata is as given: only they can tell whether anything changed."""
    further = [hashed.name for hashed in state.fmt.further]
    same = "".join(f" AND given.{quoted(it)} IS NOT DISTINCT FROM held.{quoted(it)}" for it in state.fmt.columns)
    undecided = (
        f"SELECT place, number FROM standing_bulk AS held JOIN {keys} AS given"
        f" ON held.p = given.p AND held.s = given.s WHERE given.op <> {WITHDRAW}{same}"
    )
    found = _fetch(engine, state, further, undecided) if further else ""
    if found:
        values = ", ".join(f"{quoted(name)} = found.{quoted(name)}" for name in further)
        engine.execute(f"""
            UPDATE standing_bulk SET {values} FROM ({found}) AS found
            WHERE standing_bulk.place = found.place AND standing_bulk.number = found.number""")


def _fetch(engine: Engine, state: HeldState, columns: Sequence[str], places: str) -> str:
    """A query for `columns` of the rows that the query `places` names, "" if it names none.

    File by file, so that the numbers are constants that the reader itself looks at.
    """
    wanted = engine.execute(f"SELECT place, list(number) FROM ({places}) GROUP BY ALL ORDER BY ALL").fetchall()
    return " UNION ALL ".join(
        f"SELECT {_names(columns)}, {place} AS place, file_row_number AS number"
        f" FROM read_parquet({paths([state.bulk[place]])}, file_row_number = true)"
        f" WHERE file_row_number IN ({', '.join(map(str, numbers))}) AND {_live(state)}"
        for place, numbers in wanted
    )


def _live(state: HeldState) -> str:
    """A list without a base has its first delta for a bulk, where some rows are withdrawals."""
    return "true" if state.base else f"op <> {WITHDRAW}"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)
