"""Verified entries written out for other programs, streamed and atomic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final, Literal

from hashshare.wire.engine import Engine, literal, scalar
from hashshare.wire.entries import ListFormat, quoted
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.state import HeldState, entry_columns, fold_deltas, fold_later, held_rows, key_hex
from hashshare.wire.vocabulary import OPERATIONS

ExportFormat = Literal["csv", "ndjson", "parquet"]

_OPTIONS: Final = {
    "csv": "FORMAT csv, HEADER",
    "ndjson": "FORMAT json",
    "parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 131072",
}


def export_entries(engine: Engine, state: HeldState, path: Path, *, kind: ExportFormat, today: date) -> int:
    """Writes the live entries to `path` in a form that `publish` reads back; returns how many.

    Hashes are lower-case hexadecimal in every format. The engine may write in `path`'s folder.
    """
    fold_later(engine, state)
    held = held_rows(state, entry_columns(state.fmt), condition=not_lapsed(state.fmt, today))
    return _write(engine, f"SELECT {_readable(state.fmt)} FROM ({held})", path, kind)


def export_changes(engine: Engine, deltas: Sequence[Path], path: Path, *, fmt: ListFormat, kind: ExportFormat) -> int:
    """Writes the fold of `deltas` (in version order): `op` and `reason`, then the entry; returns how many.

    In the form that `publish --changes` reads back: `op` is upsert, withdraw or reinstate.
    """
    fold_deltas(engine, deltas, fmt=fmt, table="folded")
    cases = " ".join(f"WHEN {number} THEN {literal(name)}" for name, number in OPERATIONS.items())
    return _write(engine, f"SELECT CASE op {cases} END AS op, reason, {_readable(fmt)} FROM folded", path, kind)


def _readable(fmt: ListFormat) -> str:
    """An entry's columns as people's files have them."""
    further = [f"lower(hex({quoted(it.name)})) AS {quoted(it.name)}" for it in fmt.further]
    return ", ".join([f"{key_hex()} AS {quoted(fmt.key.name)}", *further, *(quoted(it) for it in fmt.columns)])


def _write(engine: Engine, query: str, path: Path, kind: ExportFormat) -> int:
    unfinished = path.with_name(f".{path.name}.part")
    written = scalar(engine, f"COPY ({query}) TO {literal(unfinished.absolute())} ({_OPTIONS[kind]})")
    unfinished.replace(path)
    return written
