"""Reads a hotline's CSV, NDJSON or Parquet file into a validated table, in bounded memory.

Every fault is found with its line; nothing here knows what a list held before. A file is parsed once, in parallel;
what is wrong with its bad lines is worked out from those lines alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb

from hashshare.wire.engine import Engine, found_no_room, literal, scalar
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.errors import BadInput
from hashshare.wire.fields import Field, file_fields, key_prefix, key_rest, stored_value
from hashshare.wire.limits import MAX_PROBLEM_LINES
from hashshare.wire.sources import Source, mend, needs_mending, open_source
from hashshare.wire.state import key_hex
from hashshare.wire.vocabulary import WITHDRAW

Names = Mapping[str, str]
"""A file's column (lower case) -> the list's column that it is, "" for one to leave out. What is not named stays."""

LEFT_OUT: Final = "\x02"
"""What a column that is left out is called here; no header has it."""

NOT_IN_FILE: Final = " "

TABLE: Final = "intake"
_PROBLEMS: Final = "intake_problems"


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A fault of one line (1-based; for Parquet the row). `column` is empty when the whole line is at fault."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read: `table` holds the `good` of `rows` rows (delta columns when `changes`, else base columns).

    `problems` are the first MAX_PROBLEM_LINES by line, `problem_count` counts all.
    """

    table: str
    changes: bool
    rows: int
    good: int
    problem_count: int
    problems: tuple[LineProblem, ...]

    def require_good(self) -> None:
        """Raises BadInput, with facts `lines` and `count`, when any line had a problem."""
        if not self.problem_count:
            return
        first = self.problems[0]
        raise BadInput(
            f"{self.problem_count} faults in {self.rows} rows; line {first.line}: {first.column} {first.message}.",
            next_step="Correct these lines and publish again; nothing was published.",
            count=self.problem_count,
            lines=[{"line": it.line, "column": it.column, "message": it.message} for it in self.problems],
        )


def read_entries(
    engine: Engine,
    path: Path,
    *,
    fmt: ListFormat,
    changes: bool = False,
    default_reason: str | None = None,
    names: Names = MappingProxyType({}),
) -> Intake:
    """Reads `path` (by suffix .csv, .ndjson/.jsonl or .parquet) into the temporary view `intake`.

    The header names the list's algorithms and metadata columns, in any order; with `changes` also `op` (upsert,
    withdraw, reinstate; upsert when absent) and `reason` (`default_reason` where empty), and a file that only
    withdraws needs no column but the key. `names` says what the file's own columns are, and which of the list's it does
    not have and are to be empty (`not_in_file`); never the key. Raises BadInput for faults of
    the whole file: wrong header, empty, unreadable; faults of lines are in the result. A disk without room is the
    engine's own error.
    """
    fields = file_fields(fmt, changes=changes, default_reason=default_reason)
    source = named(open_source(engine, path, known=(*(field.name for field in fields), *names)), names)
    _check_header(source, fields, path, left_empty(names))
    reading = _Reading(engine, fields, fmt, changes)
    try:
        source = _parse(reading, source, path, names)
    except duckdb.Error as error:
        if found_no_room(error):
            raise
        raise BadInput(f"{path.name} could not be read: {str(error).splitlines()[0][:200]}") from error
    rows = scalar(engine, "SELECT count(*) FROM parsed WHERE NOT blank")
    if not rows:
        raise BadInput(f"{path.name} holds no entries.")
    reading.collect_problems(source)
    reading.expose()
    if changes and source.fixed:
        _check_changes_header(engine, source, fields, path, left_empty(names))
    return _summary(engine, rows, changes=changes)


def write_errors_csv(engine: Engine, path: Path) -> int:
    """Writes every line problem of the last `read_entries` as CSV (line,column,message); returns how many."""
    unfinished = path.with_name(f".{path.name}.part")
    query = f'SELECT line, "column", message FROM {_PROBLEMS} ORDER BY ALL'
    engine.execute(f"COPY ({query}) TO {literal(unfinished.absolute())} (FORMAT csv, HEADER)")
    unfinished.replace(path)
    return scalar(engine, f"SELECT count(*) FROM {_PROBLEMS}")


def named(source: Source, names: Names) -> Source:
    """The same source with its columns called what `names` says."""
    if not names:
        return source
    return replace(source, columns=tuple(names.get(column, column) or LEFT_OUT for column in source.columns))


def not_in_file(column: str) -> str:
    """What `names` calls a column of the list that the file does not have and that somebody said shall be empty. No
    file's own column is called so: theirs begin with no blank.
    """
    return f"{NOT_IN_FILE}{column}"


def left_empty(names: Names) -> frozenset[str]:
    """The columns of the list that `names` says are not in the file."""
    return frozenset(column for own, column in names.items() if own == not_in_file(column))


def find_lines(
    engine: Engine,
    path: Path,
    keys: Sequence[str],
    *,
    fmt: ListFormat,
    changes: bool,
    default_reason: str | None,
    names: Names = MappingProxyType({}),
) -> dict[str, int]:
    """The line of each of `keys` (hexadecimal) in the file `path`, which `read_entries` has just read into `engine`.

    A file without faults was read with its lines in no order, so it is parsed again, in order.
    """
    fields = file_fields(fmt, changes=changes, default_reason=default_reason)
    if engine.execute("SELECT 1 FROM parsed WHERE number IS NULL LIMIT 1").fetchone():
        source = named(open_source(engine, path, known=(*(field.name for field in fields), *names)), names)
        _Reading(engine, fields, fmt, changes).parse(source, source.numbered)
    query = f"SELECT {key_hex()} AS key, min(number) FROM parsed WHERE ok GROUP BY ALL HAVING list_contains($1, key)"
    return dict(engine.execute(query, [list(keys)]).fetchall())


# --- The header ---------------------------------------------------------------------------------------------------


def _check_header(source: Source, fields: tuple[Field, ...], path: Path, empty: frozenset[str]) -> None:
    known = [field.name for field in fields]
    required = [field.name for field in fields if field.required and (field.needed or field.name not in empty)]
    unknown = [column for column in source.columns if column not in (*known, LEFT_OUT)]
    missing = [column for column in required if column not in source.columns]
    twice = sorted({column for column in source.columns if column != LEFT_OUT and source.columns.count(column) > 1})
    if not (unknown or twice or (missing and source.fixed)):
        return
    wrong = [f"{name!r} is not a column of this list" for name in unknown[:3]]
    if len(missing) > 3:
        wrong += [f"{', '.join(missing)} are missing"]
    else:
        wrong += [f"{name!r} is missing" for name in missing]
    wrong += [f"{name!r} stands there twice" for name in twice[:3]]
    raise BadInput(
        f"{path.name} has the wrong header: {'; '.join(wrong)}.",
        next_step=f"Expected: {','.join(known)}",
        expected=known,
    )


def _check_changes_header(
    engine: Engine, source: Source, fields: tuple[Field, ...], path: Path, empty: frozenset[str]
) -> None:
    """Only withdrawals may leave columns out unsaid: an upsert replaces the whole entry, so it would erase what is
    absent.
    """
    there = {"op", "reason", *source.columns, *empty}
    missing = [field.name for field in fields if (field.stored or field.needed) and field.name not in there]
    if missing and scalar(engine, f"SELECT count(*) FROM {TABLE} WHERE op <> {WITHDRAW}"):
        raise BadInput(
            f"{path.name} lacks the columns {', '.join(missing)}, which its upserts would erase.",
            next_step=f"Expected: {','.join(field.name for field in fields)}",
        )


# --- The rows -----------------------------------------------------------------------------------------------------


def _parse(reading: _Reading, source: Source, path: Path, names: Names) -> Source:
    """Parses in parallel; a file with faults again in order, for their lines; one damaged as text from a mended copy.

    Returns what was read in the end.
    """
    sound = None if source.text and needs_mending(path) else _attempt(reading, source)
    if sound is None:
        text = mend(reading.engine, path)
        source = named(open_source(reading.engine, path, known=(*source.columns, *names), text=text), names)
    if not sound:
        reading.parse(source, source.numbered)
    return source


def _attempt(reading: _Reading, source: Source) -> bool | None:
    """Whether the file has no faults; None if it is not even text."""
    try:
        reading.parse(source, source.query)
    except duckdb.Error:
        if source.text:
            return None
        raise
    return not reading.has_faults()


@dataclass(frozen=True, slots=True)
class _Reading:
    engine: Engine
    fields: tuple[Field, ...]
    fmt: ListFormat
    changes: bool

    def parse(self, source: Source, query: str) -> None:
        """Fills `parsed`, a row per line: typed columns and `ok`, or the texts of a bad line."""
        stored = [f"{stored_value(it, changes=self.changes)} AS {quoted(it.name)}, " for it in self.fields if it.stored]
        if self.changes:
            stored = [f"v_op AS op, CASE WHEN v_op = {WITHDRAW} THEN v_reason END AS reason, ", *stored]
        sound = " AND ".join(f"({field.sound})" for field in self.fields)
        self.engine.execute(f"""
            CREATE OR REPLACE TEMP TABLE parsed AS
            SELECT CASE WHEN ok THEN {key_prefix(self.fmt)} END AS p, CASE WHEN ok THEN {key_rest(self.fmt)} END AS s,
                {"".join(stored)} number, ok, blank, CASE WHEN NOT ok THEN fields END AS fields, width, fault
            FROM (
                SELECT *, coalesce(fault IS NULL AND width = {len(source.columns)} AND {sound}, false) AS ok
                FROM (
                    SELECT *, {self._values()}
                    FROM (
                        SELECT fields, width, fault, number, fields IS NULL AND fault IS NULL AS blank,
                            {self._texts(source)}
                        FROM ({query}))))""")
        self.engine.execute("CREATE OR REPLACE TEMP TABLE suspects AS SELECT p FROM parsed LIMIT 0")
        self.engine.execute("INSERT INTO suspects SELECT p FROM parsed WHERE ok GROUP BY p HAVING count(*) > 1")

    def _texts(self, source: Source) -> str:
        """The fields' texts in a row of the source, null where empty or absent."""
        places = {name: place for place, name in enumerate(source.columns, start=1)}
        return ", ".join(
            (f"nullif(fields[{places[it.name]}], '')" if it.name in places else "NULL::VARCHAR") + f" AS {it.text}"
            for it in self.fields
        )

    def _values(self) -> str:
        return ", ".join(f"{field.typed} AS {field.value}" for field in self.fields)

    def has_faults(self) -> bool:
        """Whether any line is bad or any key repeated. Only rows that share `p` are compared as a whole."""
        bad = "SELECT 1 FROM parsed WHERE NOT ok AND NOT blank"
        repeated = "SELECT 1 FROM parsed SEMI JOIN suspects USING (p) WHERE ok GROUP BY p, s HAVING count(*) > 1"
        found = self.engine.execute(f"({bad} LIMIT 1) UNION ALL ({repeated} LIMIT 1)").fetchone()
        return found is not None

    def collect_problems(self, source: Source) -> None:
        """Fills `intake_problems`: every fault of every bad line, and each line whose key stood there before."""
        self.engine.execute(
            f'CREATE OR REPLACE TEMP TABLE {_PROBLEMS} (line BIGINT, "column" VARCHAR, message VARCHAR)'
        )
        width = len(source.columns)
        bad = "FROM parsed WHERE NOT ok AND NOT blank"
        self._add_problems(
            f"number, '', coalesce(fault, 'has ' || width || ' fields, expected {width}')",
            f"{bad} AND (fault IS NOT NULL OR width <> {width})",
        )
        texts = f"SELECT number, {self._texts(source)} {bad} AND fault IS NULL AND width = {width}"
        for field in self.fields:
            self._add_problems(
                f"number, {literal(field.name)}, {field.message}",
                f"FROM (SELECT *, {self._values()} FROM ({texts})) WHERE NOT coalesce({field.sound}, false)",
            )
        self._collect_repeats()

    def _collect_repeats(self) -> None:
        self.engine.execute("""
            CREATE OR REPLACE TEMP TABLE repeats AS
            SELECT number, first FROM (
                SELECT number, min(number) OVER (PARTITION BY p, s) AS first
                FROM parsed SEMI JOIN suspects USING (p) WHERE ok)
            WHERE number > first""")
        key = literal(self.fmt.key.name)
        self._add_problems(f"number, {key}, 'is the key of line ' || first || ' again'", "FROM repeats")

    def _add_problems(self, values: str, rows: str) -> None:
        self.engine.execute(f"INSERT INTO {_PROBLEMS} SELECT {values} {rows}")

    def expose(self) -> None:
        """Makes `intake` a view of the good rows."""
        columns = ", ".join(quoted(it) for it in segment_columns(self.fmt, "delta" if self.changes else "base"))
        repeats = scalar(self.engine, "SELECT count(*) FROM repeats")
        first = "AND number NOT IN (SELECT number FROM repeats)" if repeats else ""
        self.engine.execute(f"CREATE OR REPLACE TEMP VIEW {TABLE} AS SELECT {columns} FROM parsed WHERE ok {first}")


def _summary(engine: Engine, rows: int, *, changes: bool) -> Intake:
    problems = engine.execute(f"SELECT * FROM {_PROBLEMS} ORDER BY ALL LIMIT {MAX_PROBLEM_LINES}").fetchall()
    return Intake(
        table=TABLE,
        changes=changes,
        rows=rows,
        good=scalar(engine, f"SELECT count(*) FROM {TABLE}"),
        problem_count=scalar(engine, f"SELECT count(*) FROM {_PROBLEMS}"),
        problems=tuple(LineProblem(*problem) for problem in problems),
    )
