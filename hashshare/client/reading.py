"""A hotline's file on its way into a publication: read, every line at fault told and kept as CSV, and which of its
lines were left out.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from hashshare.client.publication import LeftOut, Listener, Wish
from hashshare.wire.difference import Difference
from hashshare.wire.engine import Engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import BadInput, UsageError
from hashshare.wire.intake import Intake, find_lines, read_entries, write_errors_csv


def read_file(engine: Engine, wish: Wish, work: Path, *, fmt: ListFormat, listener: Listener) -> Intake:
    """The file as a table. Raises BadInput for lines at fault, unless the wish is to leave them out."""
    intake = read_entries(
        engine, wish.file, fmt=fmt, changes=wish.changes, default_reason=wish.reason, names=wish.names
    )
    errors_file = _save_problems(engine, wish.file, work) if intake.problem_count else None
    listener.read(wish, intake, errors_file)
    if intake.problem_count and not wish.skip_bad:
        raise bad_lines(wish, intake, errors_file)
    return intake


def _save_problems(engine: Engine, file: Path, work: Path) -> Path:
    """Every line at fault as CSV beside the file, or in the current folder if that one is not ours to write in."""
    written = work / "errors.csv"
    write_errors_csv(engine, written)
    name = f"{file.stem}.errors.csv"
    for folder in (file.parent, Path.cwd()):
        with contextlib.suppress(PermissionError):
            shutil.copyfile(written, folder / name)
            return folder / name
    raise UsageError(f"{name} can be written neither beside the file nor in the current folder.")


def find_left_out(engine: Engine, wish: Wish, change: Difference, *, fmt: ListFormat) -> tuple[LeftOut, ...]:
    """The first withdrawals of a list of changes whose keys the list does not hold now, by their lines."""
    lapsed = dict.fromkeys(change.lapsed_examples, True)
    keys = lapsed | dict.fromkeys(change.untraced_examples, False)
    if not keys:
        return ()
    lines = {}
    if not wish.typed:
        lines = find_lines(
            engine,
            wish.file,
            [*keys],
            fmt=fmt,
            changes=wish.changes,
            default_reason=wish.reason,
            names=wish.names,
        )
    rows = [LeftOut(lines.get(key, 0), key, lapsed=known) for key, known in keys.items()]
    return tuple(sorted(rows, key=lambda row: row.line))


def bad_lines(wish: Wish, intake: Intake, errors_file: Path | None) -> BadInput:
    """What is raised for lines at fault; its facts name the first of them and count all."""
    rejected = intake.rows - intake.good
    rows, were = "row" if intake.rows == 1 else "rows", "was" if rejected == 1 else "were"
    return BadInput(
        f"{wish.file.name}: {rejected:,} of {intake.rows:,} {rows} {were} rejected. Nothing was published.",
        next_step="Fix these lines, or leave them out with --skip-bad.",
        rows=intake.rows,
        good=intake.good,
        count=intake.problem_count,
        lines=[{"line": p.line, "column": p.column, "message": p.message} for p in intake.problems],
        errors_file=str(errors_file) if errors_file else None,
    )
