"""Verifies that a hostile Parquet file is exactly a segment of a list, before any other query touches it.

The order of the checks is the defence: the size of the footer and of the lists in it, what the footer claims, and only
then the values, with the engine told not to believe the file's statistics; in the end those must agree with the values
too, since later queries skip row groups by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from hashshare.wire.algorithms import KEY_PREFIX, algorithm
from hashshare.wire.engine import Engine, literal
from hashshare.wire.entries import Kind, ListFormat, quoted, row_columns, segment_columns
from hashshare.wire.errors import MalformedSegment
from hashshare.wire.footer import BadFooterError, check_footer
from hashshare.wire.limits import MAX_ENTRIES_PER_SEGMENT, MAX_OBJECT, MIB
from hashshare.wire.vocabulary import FIRST_DAY, LAST_DAY, MAX_PDQ_QUALITY, OPERATIONS, REASONS, WITHDRAW, words

ROW_GROUP: Final = 131_072
"""Rows of every row group but the last: what bounds a reader's memory."""

_MAX_FOOTER: Final = 16 * MIB
_MAX_WORD: Final = 32
_VALUE_OVERHEAD: Final = 16
_CHUNK_OVERHEAD: Final = 16_384
_REQUIRED: Final = ("op", "p", "s")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a verified segment holds: rows, the first and last `p`, and withdrawals by reason."""

    rows: int
    low: int | None
    high: int | None
    reasons: dict[str, int]


def inspect(engine: Engine, path: Path, *, fmt: ListFormat, kind: Kind) -> Contents:
    """Checks everything about the file `path`. The engine must distrust statistics (`open_engine(distrust=True)`).

    Raises MalformedSegment, in words.
    """
    check_frame(path)
    segment = _Segment(engine, literal(path.absolute()), fmt, kind, path.name)
    try:
        rows = segment.check_footer()
        low, high = segment.check_values(rows)
        segment.check_order()
        reasons = segment.count_reasons()
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise MalformedSegment(f"{path.name} is not readable as Parquet: {_first_line(error)}") from error
    return Contents(rows, low, high, reasons)


def check_frame(path: Path) -> None:
    """The outermost bytes: magic numbers, the length of the footer and of its lists. Raises MalformedSegment."""
    length = path.stat().st_size
    if not 12 <= length <= MAX_OBJECT:
        raise MalformedSegment(f"{path.name} has {length} bytes; a segment has 12 to {MAX_OBJECT}.")
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(length - 8)
        tail = file.read(8)
    if head != b"PAR1" or tail[4:] != b"PAR1":
        raise MalformedSegment(f"{path.name} is not a Parquet file.")
    footer = int.from_bytes(tail[:4], "little")
    if footer > min(_MAX_FOOTER, length - 12):
        raise MalformedSegment(f"{path.name} says that its footer has {footer} bytes.")
    with path.open("rb") as file:
        file.seek(length - 8 - footer)
        body = file.read(footer)
    try:
        check_footer(body)
    except BadFooterError as error:
        raise MalformedSegment(f"{path.name} has a footer that cannot be read: {error}.") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["?"])[0][:200]


@dataclass(frozen=True, slots=True)
class _Segment:
    engine: Engine
    file: str
    fmt: ListFormat
    kind: Kind
    name: str

    def refuse(self, message: str) -> MalformedSegment:
        return MalformedSegment(f"{self.name}: {message}")

    @property
    def columns(self) -> dict[str, str]:
        return segment_columns(self.fmt, self.kind)

    def width(self, column: str) -> int:
        """Bytes of one value: exact for hashes, the most that is plausible for the rest."""
        if column == "s":
            return self.fmt.key.width - KEY_PREFIX
        if self.columns[column] == "BLOB":
            return algorithm(column).width
        return _MAX_WORD

    # --- What the footer claims -----------------------------------------------------------------------------------

    def check_footer(self) -> int:
        """Checks schema, row groups, encodings and sizes without reading a value; returns the rows claimed."""
        file = self.engine.execute(
            f"SELECT num_rows, num_row_groups, encryption_algorithm FROM parquet_file_metadata({self.file})"
        ).fetchone()
        rows, groups, encryption = file or (0, 0, None)
        if not 0 <= rows <= MAX_ENTRIES_PER_SEGMENT:
            raise self.refuse(f"it claims {rows} rows; {MAX_ENTRIES_PER_SEGMENT} are the most")
        if encryption is not None:
            raise self.refuse("it is encrypted")
        self._check_schema()
        self._check_row_groups(rows, groups)
        return int(rows)

    def _check_schema(self) -> None:
        schema = self.engine.execute(
            f"SELECT name, duckdb_type, num_children FROM parquet_schema({self.file})"
        ).fetchall()
        found = [(name, "nested" if children else kind) for name, kind, children in schema[1:]]
        expected = list(self.columns.items())
        if found != expected:
            raise self.refuse(f"its columns are {_describe(found)}; expected {_describe(expected)}")

    def _check_row_groups(self, rows: int, groups: int) -> None:
        chunks = self.engine.execute(
            "SELECT row_group_id, row_group_num_rows, path_in_schema, num_values, compression,"
            " total_uncompressed_size, total_compressed_size, bloom_filter_offset"
            f" FROM parquet_metadata({self.file}) ORDER BY row_group_id, column_id"
        ).fetchall()
        if groups != -(-rows // ROW_GROUP):
            raise self.refuse(f"it has {groups} row groups for {rows} rows; each but the last has {ROW_GROUP}")
        if rows and [(chunk[0], chunk[2]) for chunk in chunks] != [
            (group, column) for group in range(groups) for column in self.columns
        ]:
            raise self.refuse("its row groups have other columns than its schema")
        for group, held, column, values, compression, plain, packed, bloom in chunks if rows else ():
            expected = min(ROW_GROUP, rows - group * ROW_GROUP)
            if (held, values) != (expected, expected):
                raise self.refuse(f"its footer claims {held} rows and {values} values of {column}, not {expected}")
            if compression != "ZSTD" or bloom is not None:
                raise self.refuse(f"{column} is stored with {compression}{' and a Bloom filter' if bloom else ''}")
            most = expected * (self.width(column) + _VALUE_OVERHEAD) + _CHUNK_OVERHEAD
            if not 0 <= plain <= most or not 0 <= packed <= most:
                raise self.refuse(f"{column} takes {max(plain, packed)} bytes for {expected} values")

    # --- The values -----------------------------------------------------------------------------------------------

    def check_values(self, rows: int) -> tuple[int | None, int | None]:
        """Reads every value: widths, vocabulary, counts, and that the footer's statistics are true of them.

        Returns the least and the greatest `p`.
        """
        measures = ["count(*) AS held", "min(p) AS low", "max(p) AS high"]
        for number, column in enumerate(self.columns):
            name = quoted(column)
            measures.append(f"count(*) FILTER (({self._fault(column)}) IS TRUE) AS bad{number}")
            measures += [f"min({name}) AS min{number}", f"max({name}) AS max{number}", f"count({name}) AS has{number}"]
        source = f"read_parquet({self.file}, file_row_number = true)"
        self.engine.execute(
            f"CREATE TEMP TABLE measured AS SELECT file_row_number // {ROW_GROUP} AS row_group, {', '.join(measures)}"
            f" FROM {source} GROUP BY ALL"
        )
        faults = ", ".join(f"sum(bad{number})" for number in range(len(self.columns)))
        row = self.engine.execute(f"SELECT sum(held), min(low), max(high), {faults} FROM measured").fetchone()
        held, low, high, *bad = row or ()
        if (held or 0) != rows:
            raise self.refuse(f"its footer claims {rows} rows, it holds {held}")
        for column, count in zip(self.columns, bad, strict=True):
            if count:
                raise self.refuse(f"{count} rows have a {column} that the format does not allow")
        self._check_statistics()
        return low, high

    def _fault(self, column: str) -> str:
        """The SQL condition under which a row's value of `column` breaks the format."""
        name = quoted(column)
        faults = [f"{name} IS NULL"] if column in _REQUIRED else []
        choice = words(column, scheme=self.fmt.scheme)
        if column == "op":
            faults.append(f"op NOT IN ({', '.join(map(str, OPERATIONS.values()))})")
        elif column == "reason":
            faults.append(f"reason NOT IN ({_words(REASONS)}) OR (op = {WITHDRAW}) <> (reason IS NOT NULL)")
        elif self.columns[column] == "BLOB":
            faults.append(f"octet_length({name}) <> {self.width(column)}")
        elif choice:
            faults.append(f"{name} NOT IN ({_words(choice)})")
        elif self.columns[column] == "DATE":
            faults.append(f"{name} NOT BETWEEN DATE '{FIRST_DAY}' AND DATE '{LAST_DAY}'")
        elif column == "pdq_quality":
            faults.append(f"{name} > {MAX_PDQ_QUALITY}")
        if self.kind == "delta" and column in row_columns(self.fmt):
            faults.append(f"op = {WITHDRAW} AND {name} IS NOT NULL")
        return " OR ".join(f"({fault})" for fault in faults) or "false"

    def _check_statistics(self) -> None:
        """A footer that lies about a column's range would hide rows from queries that skip by it."""
        measured = " UNION ALL ".join(
            f"SELECT row_group, {number} AS column_id, min{number}::VARCHAR AS low, max{number}::VARCHAR AS high,"
            f" held - has{number} AS nulls FROM measured"
            for number in range(len(self.columns))
        )
        differing = (
            "claimed.stats_min_value <> low OR claimed.stats_max_value <> high OR claimed.stats_min <> low"
            " OR claimed.stats_max <> high OR claimed.stats_null_count <> nulls"
            " OR (low IS NULL AND coalesce(stats_min_value, stats_max_value, stats_min, stats_max) IS NOT NULL)"
        )
        liar = self.engine.execute(
            f"SELECT claimed.path_in_schema, claimed.row_group_id FROM parquet_metadata({self.file}) AS claimed"
            f" JOIN ({measured}) AS real ON claimed.row_group_id = row_group AND claimed.column_id = real.column_id"
            f" WHERE {differing} ORDER BY 2, 1 LIMIT 1"
        ).fetchone()
        if liar:
            raise self.refuse(f"its footer is wrong about the values of {liar[0]} in row group {liar[1]}")

    def count_reasons(self) -> dict[str, int]:
        """Withdrawals by reason."""
        if self.kind == "base":
            return {}
        withdrawn = f"FROM read_parquet({self.file}) WHERE op = {WITHDRAW}"
        return dict(self.engine.execute(f"SELECT reason, count(*) {withdrawn} GROUP BY ALL ORDER BY reason").fetchall())

    def check_order(self) -> None:
        """Keys rise strictly. `s` is read only where neighbours share their `p`."""
        pairs = "SELECT p, lag(p) OVER () AS before FROM read_parquet"
        row = self.engine.execute(
            f"SELECT count(*) FILTER (p < before), count(*) FILTER (p = before) FROM ({pairs}({self.file}))"
        ).fetchone()
        falling, equal = row or (0, 0)
        if equal and not falling:
            row = self.engine.execute(
                "SELECT count(*) FILTER (p = before AND s <= s_before)"
                f" FROM (SELECT p, s, lag(p) OVER () AS before, lag(s) OVER () AS s_before"
                f" FROM read_parquet({self.file}))"
            ).fetchone()
            falling = row[0] if row else 0
        if falling:
            raise self.refuse(f"{falling} rows are out of order or repeat a key")


def _describe(columns: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns[:20]) or "none"


def _words(choice: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in choice)
