"""Whether a few keys are live in a list of millions: held, withdrawn before, or new. The cost of a small release.

Nothing here folds or sorts the list. Its files are searched by `p` alone, which is small and sorted; the rest of a row
is read at the places where `p` was met, so that row groups without one are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from hashshare.wire.engine import Engine, paths, scalar
from hashshare.wire.entries import quoted
from hashshare.wire.state import HeldState
from hashshare.wire.vocabulary import UPSERT, WITHDRAW

FEW: Final = 5_000
"""Rows that are fetched by their places. Among more, nearly every row group has one, and a join is cheaper."""


def find_standing(engine: Engine, state: HeldState, *, table: str) -> None:
    """Fills the temporary table `standing`: `table`'s op, p and s (unique keys), whether the key is `held`, and whether
    it is `gone` (withdrawn). Best on an engine for `scattered` reading.
    """
    _find_met(engine, state.base, state.deltas, table=table)
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE standing AS
        SELECT sought.op, p, s, coalesce(last.op <> {WITHDRAW}, false) AS held, coalesce(last.op = {WITHDRAW}, false)
            AS gone
        FROM {table} AS sought LEFT JOIN (SELECT p, s, arg_max(op, file) AS op FROM met GROUP BY p, s) AS last
            USING (p, s)""")
    if state.earlier:
        _find_gone(engine, state.earlier)


def count_growth(engine: Engine, base: Sequence[Path], deltas: Sequence[Path]) -> int:
    """By how much `deltas`, in version order, change the number of entries of `base`."""
    if not deltas:
        return 0
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE past AS SELECT p, s, arg_max(op, file_index) AS op
        FROM read_parquet({paths(deltas)}) GROUP BY p, s""")
    _find_met(engine, base, (), table="past")
    change = f"count(*) FILTER (past.op <> {WITHDRAW}) - count(*) FILTER (met.p IS NOT NULL)"
    return scalar(engine, f"SELECT {change} FROM past LEFT JOIN met USING (p, s)")


def read_met(
    engine: Engine, base: Sequence[Path], deltas: Sequence[Path], *, table: str, columns: Mapping[str, str]
) -> None:
    """Fills the temporary table `met` (p, s, op, file, and `columns` with their types) anew for those of the keys in
    `table` that `find_standing` was asked for last, over the same files: where they stand is known.
    """
    if base or deltas:
        engine.execute(f"CREATE OR REPLACE TEMP TABLE hits AS SELECT * FROM hits SEMI JOIN {table} USING (p)")
    _read_hits(engine, base, deltas, table=table, columns=columns)


def _find_met(engine: Engine, base: Sequence[Path], deltas: Sequence[Path], *, table: str) -> None:
    """Fills the temporary table `met` (p, s, op, file): every row of the files on a key of `table`, perhaps on others
    that share a prefix with one. `file` counts in their order; an entry of the base counts as an upsert.
    """
    if files := [*base, *deltas]:
        engine.execute(f"""
            CREATE OR REPLACE TEMP TABLE hits AS SELECT p, file_index AS file, file_row_number AS row
            FROM read_parquet({paths(files)}, file_row_number = true) SEMI JOIN {table} USING (p)""")
    _read_hits(engine, base, deltas, table=table, columns={})


def _read_hits(
    engine: Engine, base: Sequence[Path], deltas: Sequence[Path], *, table: str, columns: Mapping[str, str]
) -> None:
    typed = "".join(f", {quoted(name)} {kind}" for name, kind in columns.items())
    names = "".join(f", {quoted(name)}" for name in columns)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE met (p UBIGINT, s BLOB, op UTINYINT, file UBIGINT{typed})")
    files = [*base, *deltas]
    if not files:
        return
    if scalar(engine, "SELECT count(*) FROM hits") <= FEW:
        places = engine.execute("SELECT file, list(row) FROM hits GROUP BY file").fetchall()
        # The places as constants, so that the reader itself leaves out row groups without one.
        rows = " UNION ALL ".join(
            f"SELECT {file} AS file, file_row_number AS row, s, {UPSERT if file < len(base) else 'op'} AS op{names}"
            f" FROM read_parquet({paths([files[file]])}, file_row_number = true)"
            f" WHERE file_row_number IN ({', '.join(map(str, among))})"
            for file, among in places
        )
        if places:
            engine.execute(f"INSERT INTO met SELECT p, s, op, file{names} FROM hits JOIN ({rows}) USING (file, row)")
        return
    for part, op, first in ((base, UPSERT, 0), (deltas, "op", len(base))):
        if part:
            rows = f"SELECT p, s, {op} AS op, file_index + {first} AS file{names} FROM read_parquet({paths(part)})"
            engine.execute(f"INSERT INTO met SELECT * FROM ({rows}) SEMI JOIN {table} USING (p, s)")


def _find_gone(engine: Engine, earlier: Sequence[Path]) -> None:
    """Marks in `standing` the keys that `earlier` segments withdrew for good, of those that nothing newer names.

    Looks at withdrawals alone, and at other operations only where such a key was withdrawn at some time: it may have
    been reinstated, and have lapsed when the base was built.
    """
    rows = f"read_parquet({paths(earlier)})"
    engine.execute(f"""
        CREATE OR REPLACE TEMP TABLE taken AS SELECT p, s, max(file_index) AS last FROM (
            SELECT p, s, file_index FROM {rows} WHERE op = {WITHDRAW}
        ) SEMI JOIN (SELECT p FROM standing WHERE NOT held AND NOT gone) USING (p) GROUP BY p, s""")
    if scalar(engine, "SELECT count(*) FROM taken"):
        back = f"SELECT p, s, file_index AS file FROM {rows} WHERE op <> {WITHDRAW} AND p IN (SELECT p FROM taken)"
        engine.execute(f"""
            UPDATE standing SET gone = true FROM (
                SELECT p, s FROM taken
                LEFT JOIN (SELECT p, s, max(file) AS back FROM ({back}) GROUP BY p, s) USING (p, s)
                WHERE coalesce(back < taken.last, true)) AS lost
            WHERE standing.p = lost.p AND standing.s = lost.s AND NOT held""")
