"""Files that hotlines publish from, as queries of one shape: CSV, NDJSON and Parquet.

Each yields `fields` (a VARCHAR[] in the order of `columns`), `width` (how many fields there were), `fault` (what is
wrong with the line as a whole, or null) and `number`, the line in the file; a blank line has null `fields`. Lines are
read as lines, so that line n is line n whatever stands in it. What a field must hold is said in `fields`.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import duckdb

from hashshare.wire.engine import Engine, literal
from hashshare.wire.entries import quoted
from hashshare.wire.errors import BadInput
from hashshare.wire.limits import KIB, MAX_LINE, MIB

OVERLONG: Final = f"the line is longer than {MAX_LINE // KIB} KiB"
NOT_UTF8: Final = "the line is not UTF-8"
OPEN_QUOTE: Final = "a quotation mark is not closed, or stands inside a field"
NOT_OBJECT: Final = "the line is not a JSON object"

_MARK: Final = "\x02"
"""Stands first in a line that could not be kept; the fault's number follows."""

_MARKED: Final = {1: OVERLONG, 2: NOT_UTF8}
MAX_COLUMNS: Final = 64
_AS_CSV: Final = "In the spreadsheet, save it as CSV UTF-8 and choose that file."
_OTHER_KINDS: Final = (
    (b"PK\x03\x04", "a spreadsheet or another packed file", _AS_CSV),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", _AS_CSV),
    (b"\xff\xfe", "UTF-16 text", "Save it as CSV UTF-8 and choose that file."),
    (b"\xfe\xff", "UTF-16 text", "Save it as CSV UTF-8 and choose that file."),
    (b"\x1f\x8b", "a packed file", "Unpack it first."),
    (b"%PDF", "a PDF", _AS_CSV),
    (b"PAR1", "Parquet", "Publish it with the command line, or save it as CSV."),
    (b"\x89PNG", "an image", "Only hashes are handled here, never media. Choose the CSV file that names them."),
    (b"\xff\xd8\xff", "an image", "Only hashes are handled here, never media. Choose the CSV file that names them."),
    (b"GIF8", "an image", "Only hashes are handled here, never media. Choose the CSV file that names them."),
)

_DELIMITERS: Final = (",", ";", "\t")
_QUOTED_LINE: Final = r' *("[^"]*"|[^"{d}]*) *({d} *("[^"]*"|[^"{d}]*) *)*'


@dataclass(frozen=True, slots=True)
class Source:
    """A readable file: its columns and a query over its lines."""

    columns: tuple[str, ...]

    query: str
    """All lines, in parallel and in any order, `number` null."""

    numbered: str
    """The same with `number`: 1-based, the header counted. Slower, since lines are counted in order."""

    fixed: bool
    """Whether every row has every column, so that an absent one is a fault of the file."""

    text: bool
    """Whether it is read as lines of text."""


def open_source(engine: Engine, path: Path, *, known: tuple[str, ...], text: Path | None = None) -> Source:
    """Recognises `path` by its suffix and reads its header. `known` are the columns it may have.

    `text` is the file to read the lines from when `path` itself had to be mended. Raises BadInput when the file is
    empty, of another kind, or not text.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise BadInput(f"{path} is not a file.")
    if not path.stat().st_size:
        raise BadInput(f"{path.name} is empty.")
    if suffix == ".parquet":
        return _parquet(engine, path)
    if suffix in (".ndjson", ".jsonl", ".json"):
        return _ndjson(text or path, known)
    if suffix in (".csv", ".tsv", ".txt", ""):
        return _csv(path, text or path, known)
    raise BadInput(f"{path.name}: only .csv, .ndjson and .parquet files are read.")


# --- CSV ----------------------------------------------------------------------------------------------------------


def _csv(path: Path, text: Path, known: tuple[str, ...]) -> Source:
    with path.open("rb") as file:
        first = file.readline(MAX_LINE + 1)
    try:
        header = first.decode("utf-8-sig").split("\r")[0].strip("\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text; export it as UTF-8.") from error
    delimiter = max(_DELIMITERS, key=lambda mark: len(set(_split(header, mark)) & set(known)))
    columns = tuple(_split(header, delimiter))
    mark = literal(delimiter)
    pattern = literal(_QUOTED_LINE.format(d=delimiter))
    bare = f"trim(regexp_replace(replace(line, '\"', ''), ' *{delimiter} *', {mark}, 'g'), ' ')"

    def query(lines: str) -> str:
        return f"""
        SELECT CASE WHEN line <> '' THEN string_split(line, {mark}) END AS fields, len(fields) AS width, fault, number
        FROM (
            SELECT CASE WHEN contains(line, '"') OR contains(line, ' ') THEN {bare} ELSE line END AS line,
                CASE WHEN starts_with(line, {literal(_MARK)}) THEN {_marked_fault()}
                     WHEN contains(line, '"') AND NOT regexp_full_match(line, {pattern}) THEN {literal(OPEN_QUOTE)}
                END AS fault, number
            FROM ({lines}))"""

    lines, numbered = _lines(text, skip=1)
    return Source(columns, query(lines), query(numbered), fixed=True, text=True)


def read_header(path: Path) -> tuple[str, ...]:
    """The columns of a CSV file whose names nobody knows yet, in lower case. Raises BadInput when it is no such file.

    A spreadsheet's or an image's first bytes are recognised, so that people are told what to do instead.
    """
    with path.open("rb") as file:
        first = file.readline(MAX_LINE + 1)
    _refuse_other_kinds(path, first)
    try:
        header = first.decode("utf-8-sig").split("\r")[0].strip("\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name} is not UTF-8 text; export it as UTF-8.") from error
    if not header.strip():
        raise BadInput(f"{path.name} begins with a blank line.", next_step="Its first line names the columns.")
    columns = max((tuple(_split(header, mark)) for mark in _DELIMITERS), key=len)
    if len(columns) > MAX_COLUMNS:
        raise BadInput(f"{path.name} has {len(columns)} columns; a list needs {MAX_COLUMNS} at most.")
    return columns


def _refuse_other_kinds(path: Path, start: bytes) -> None:
    """Raises BadInput."""
    if not start:
        raise BadInput(f"{path.name} is empty.")
    for magic, kind, remedy in _OTHER_KINDS:
        if start.startswith(magic):
            raise BadInput(f"{path.name} is {kind}, not a CSV file.", next_step=remedy)
    if b"\x00" in start:
        raise BadInput(f"{path.name} is not a text file.", next_step=_AS_CSV)
    if len(start) > MAX_LINE:
        raise BadInput(f"{path.name} has a first line longer than {MAX_LINE // KIB} KiB.", next_step=_AS_CSV)


def _split(header: str, delimiter: str) -> list[str]:
    return [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])]


def _marked_fault() -> str:
    cases = " ".join(f"WHEN {literal(_MARK + str(number))} THEN {literal(text)}" for number, text in _MARKED.items())
    return f"CASE line {cases} END"


# --- NDJSON -------------------------------------------------------------------------------------------------------


def _ndjson(text: Path, known: tuple[str, ...]) -> Source:
    places = "[" + ", ".join(literal(f'$."{name}"') for name in known) + "]"
    names = "[" + ", ".join(literal(name) for name in known) + "]"

    def query(lines: str) -> str:
        return f"""
        SELECT CASE WHEN blank THEN NULL WHEN object THEN json_extract_string(line, {places}) ELSE [] END AS fields,
            {len(known)} AS width,
            CASE WHEN starts_with(line, {literal(_MARK)}) THEN {_marked_fault()}
                 WHEN blank THEN NULL
                 WHEN NOT object THEN {literal(NOT_OBJECT)}
                 WHEN NOT list_has_all({names}, json_keys(line))
                 THEN 'unknown name ' || list_filter(json_keys(line), lambda it:
                     NOT list_contains({names}, it))[1][:40]
            END AS fault, number
        FROM (
            SELECT line, trim(line, ' \t') = '' AS blank, number,
                coalesce(CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' END, false) AS object
            FROM ({lines}))"""

    lines, numbered = _lines(text, skip=0)
    return Source(known, query(lines), query(numbered), fixed=False, text=True)


# --- Parquet ------------------------------------------------------------------------------------------------------


def _parquet(engine: Engine, path: Path) -> Source:
    file = literal(path.absolute())
    try:
        described = engine.execute(f"DESCRIBE SELECT * FROM read_parquet({file})").fetchall()
    except duckdb.Error as error:
        raise BadInput(f"{path.name} is not readable as Parquet.") from error
    columns = {str(row[0]): str(row[1]) for row in described}
    fields = ", ".join(
        f"hex({quoted(name)})" if kind == "BLOB" else f"{quoted(name)}::VARCHAR" for name, kind in columns.items()
    )
    query = (
        f"SELECT [{fields}] AS fields, {len(columns)} AS width, NULL::VARCHAR AS fault, file_row_number + 1 AS number"
        f" FROM read_parquet({file}, file_row_number = true)"
    )
    return Source(tuple(columns), query, query, fixed=True, text=False)


# --- Lines --------------------------------------------------------------------------------------------------------


def _lines(path: Path, *, skip: int) -> tuple[str, str]:
    """Queries for the file's lines after the first `skip`, `line` empty where blank: as they come, and numbered.

    They fail on a line that is no text. Only a window over everything makes the engine keep the order of the lines;
    the order of insertion is not reliable when several threads read. Told of line feeds alone, the reader would count
    the two characters of a CRLF as two lines; told of CRLF, it counts either ending, and any mixture, as one, but then
    refuses large files that have none.
    """
    ending = "\\r\\n" if _has_crlf(path) else "\\n"
    lines = (
        f"read_csv({literal(path.absolute())}, columns = {{'line': 'VARCHAR'}}, delim = '\x01', quote = '',"
        " escape = '', comment = '', header = false, auto_detect = false, strict_mode = false, compression = 'none',"
        f" new_line = '{ending}', max_line_size = {MAX_LINE})"
    )
    text = "coalesce(CASE WHEN ends_with(line, chr(13)) THEN line[:-2] ELSE line END, '') AS line"
    skipped = lines.removesuffix(")") + f", skip = {skip})"
    numbered = f"SELECT line, row_number() OVER () AS number FROM {lines}"
    return (
        f"SELECT {text}, NULL::BIGINT AS number FROM {skipped}",
        f"SELECT {text}, number FROM ({numbered}) WHERE number > {skip}",
    )


def _has_crlf(path: Path) -> bool:
    """Whether any line ends in CRLF; reads until it finds one."""
    before = b""
    with path.open("rb") as file:
        while piece := file.read(MIB):
            if b"\r\n" in before + piece:
                return True
            before = piece[-1:]
    return False


def needs_mending(path: Path) -> bool:
    """Whether the lines end in bare carriage returns, as old spreadsheets write them."""
    with path.open("rb") as file:
        start = file.read(MAX_LINE)
    return b"\r" in start and b"\n" not in start


def mend(engine: Engine, path: Path) -> Path:
    """A copy, in the engine's temporary folder, in which each line that is no text is replaced by a mark."""
    row = engine.execute("SELECT current_setting('temp_directory')").fetchone()
    handle, name = tempfile.mkstemp(dir=row[0] if row else None, suffix=".txt")
    returns = needs_mending(path)
    with path.open("rb") as source, os.fdopen(handle, "wb") as copy:
        for line in _text_lines(source):
            copy.write((line.replace(b"\r", b"\n") if returns else line) + b"\n")
    return Path(name)


def _text_lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE + 1):
        overlong = not line.endswith(b"\n") and len(line) > MAX_LINE
        while line and overlong and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE + 1)
        if overlong:
            yield f"{_MARK}1".encode()
        else:
            yield line.removesuffix(b"\n") if _is_text(line) else f"{_MARK}2".encode()


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
