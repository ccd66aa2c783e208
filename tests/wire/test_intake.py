"""Files that hotlines publish from: what is read, and every kind of fault by its line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import BadInput
from hashshare.wire.intake import Intake, not_in_file, read_entries, write_errors_csv
from hashshare.wire.limits import MAX_LINE, MAX_PROBLEM_LINES

from .lists import FULL, PLAIN, csv_rows, csv_text, digest

PAIR = ListFormat(("sha256", "md5"), "uk-abc", ("category",))


def read(path: Path, fmt: ListFormat = PAIR, *, changes: bool = False, reason: str | None = None) -> Intake:
    with open_engine(read=[path], write=path.parent) as engine:
        return read_entries(engine, path, fmt=fmt, changes=changes, default_reason=reason)


def rows_of(path: Path, fmt: ListFormat, *, changes: bool = False) -> list[tuple[object, ...]]:
    with open_engine(read=[path], write=path.parent) as engine:
        intake = read_entries(engine, path, fmt=fmt, changes=changes)
        intake.require_good()
        return engine.execute(f"SELECT * FROM {intake.table} ORDER BY ALL").fetchall()


def problems(path: Path, fmt: ListFormat = PAIR, *, changes: bool = False) -> list[tuple[int, str]]:
    return [(it.line, it.column) for it in read(path, fmt, changes=changes).problems]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def line(seed: object, category: str = "A") -> str:
    return f"{digest(seed).hex()},{digest((seed, 5), 16).hex()},{category}"


HEADER = "sha256,md5,category"


# --- What is read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_reads_csv_as_people_write_it(tmp_path: Path, mark: str, end: str) -> None:
    rows = csv_rows(20, FULL)
    path = write(tmp_path / "a.csv", "\ufeff" + csv_text(rows, mark=mark, end=end))
    read_back = rows_of(path, FULL)
    assert len(read_back) == 20
    keys = {int(str(row[0])).to_bytes(8, "big") + bytes(row[1]) for row in read_back}  # type: ignore[call-overload]
    assert keys == {bytes.fromhex(row["sha256"]) for row in rows}


def test_it_reads_the_same_from_every_format(tmp_path: Path) -> None:
    rows = csv_rows(50, FULL)
    text = write(tmp_path / "a.csv", csv_text(rows))
    lines = write(
        tmp_path / "a.ndjson", "".join(json.dumps({k: v for k, v in row.items() if v}) + "\n" for row in rows)
    )
    duckdb.connect().execute(f"COPY (FROM read_csv('{text}', all_varchar = true)) TO '{tmp_path}/a.parquet'")
    expected = rows_of(text, FULL)
    assert len(expected) == 50
    assert rows_of(lines, FULL) == expected
    assert rows_of(tmp_path / "a.parquet", FULL) == expected


def test_it_reads_typed_parquet_and_blobs(tmp_path: Path) -> None:
    fmt = ListFormat(("sha256",), "uk-abc", ("first_seen", "pdq_quality"))
    row = f"unhex('{digest(1).hex()}') AS sha256, DATE '2024-02-29' AS first_seen, 7::TINYINT AS pdq_quality"
    duckdb.connect().execute(f"COPY (SELECT {row}) TO '{tmp_path}/a.parquet'")
    ((prefix, rest, first_seen, quality),) = rows_of(tmp_path / "a.parquet", fmt)
    assert prefix == int.from_bytes(digest(1)[:8], "big")
    assert (rest, str(first_seen), quality) == (digest(1)[8:], "2024-02-29", 7)


def test_it_forgives_quotes_spaces_blank_lines_case_and_order(tmp_path: Path) -> None:
    key, other = digest(1).hex(), digest(2, 16).hex()
    path = write(
        tmp_path / "a.csv", f'Category , "SHA256",md5\n\n A ,"{key.upper()}" , {other}\n\nB,{digest(3).hex()},\n'
    )
    intake = read(path)
    assert (intake.rows, intake.good, intake.problem_count) == (2, 2, 0)
    assert {row[2] for row in rows_of(path, PAIR)} == {bytes.fromhex(other), None}


def test_it_reads_old_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\r".join([HEADER, line(1), line(2, "Z"), line(3)]) + "\r")
    assert problems(path) == [(3, "category")]


# --- Faults of lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "column", "words"),
    [
        (f"{digest(9).hex()[:-1]},,A", "sha256", "63 characters"),
        (f"{'x' * 64},,A", "sha256", "not hexadecimal"),
        (f"0x{'0' * 62},,A", "sha256", "not hexadecimal"),
        (f"{digest(9).hex()[:15]}_{digest(9).hex()[16:]},,A", "sha256", "not hexadecimal"),
        (",,A", "sha256", "missing"),
        (f"{digest(9).hex()},abc,A", "md5", "3 characters"),
        ("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855,,A", "sha256", "an empty or blank file"),
        (f"{digest(9).hex()},{'0' * 32},A", "md5", "harmless files"),
        (f"{digest(9).hex()},,D", "category", "not one of A, B, C"),
        (f"{digest(9).hex()},,a", "category", "not one of"),
        (f"{digest(9).hex()},A", "", "2 fields, expected 3"),
        (f"{digest(9).hex()},,A,more", "", "4 fields"),
        (f'{digest(9).hex()},"{digest(9, 16).hex()},A', "", "quotation"),
        (f'"{digest(9).hex()},",,A', "", "4 fields"),
        (line(2), "sha256", "the key of line 3 again"),
    ],
)
def test_it_names_the_line_of_each_fault(tmp_path: Path, bad: str, column: str, words: str) -> None:
    path = write(tmp_path / "a.csv", "\n".join([HEADER, line(1), line(2), "", line(3), bad, line(4)]))
    intake = read(path)
    ((found),) = intake.problems
    assert (found.line, found.column) == (6, column)
    assert words in found.message
    assert (intake.rows, intake.good, intake.problem_count) == (5, 4, 1)
    with pytest.raises(BadInput, match="line 6"):
        intake.require_good()


def test_it_counts_lines_rightly_around_quoted_line_breaks(tmp_path: Path) -> None:
    text = f'{HEADER}\n{line(1)}\n{digest(2).hex()},"\n",A\n{line(3)}\n{line(4, "Q")}\n'
    assert problems(write(tmp_path / "a.csv", text)) == [(3, ""), (4, ""), (6, "category")]


def test_it_counts_lines_rightly_with_mixed_line_ends(tmp_path: Path) -> None:
    text = f"{HEADER}\n{line(1)}\r\n\r\n{line(2, 'Q')}\n\n{line(3, 'Q')}"
    assert problems(write(tmp_path / "a.csv", text)) == [(4, "category"), (6, "category")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_counts_lines_rightly_with_either_line_end(tmp_path: Path, end: str) -> None:
    text = end.join([HEADER, line(1), "", line(2, "Q"), line(3, "Q"), ""])
    assert problems(write(tmp_path / "a.csv", text)) == [(4, "category"), (5, "category")]


def test_it_names_lines_that_are_not_text_or_too_long(tmp_path: Path) -> None:
    lines = [HEADER, line(1), "caf\xe9", line(2), "x" * (MAX_LINE + 5), line(3, "Q"), line(1)]
    path = write(tmp_path / "a.csv", "\n".join(lines).encode("latin-1"))
    intake = read(path)
    assert [(it.line, it.column) for it in intake.problems] == [(3, ""), (5, ""), (6, "category"), (7, "sha256")]
    assert "UTF-8" in intake.problems[0].message
    assert "longer" in intake.problems[1].message


def test_it_finds_the_lines_of_a_large_file(tmp_path: Path) -> None:
    """Large enough to be read by several threads at once, which do not keep the order by themselves."""
    fmt = PLAIN
    size = 900_000
    with (tmp_path / "a.csv").open("w") as file:
        file.write("sha256\n")
        for number in range(size):
            file.write(("bad" if number in (5, 700_001) else digest_fast(number)) + "\n")
        file.write(digest_fast(6) + "\n")
    intake = read(tmp_path / "a.csv", fmt)
    assert [it.line for it in intake.problems] == [7, 700_003, size + 2]
    assert intake.problems[2].message == "is the key of line 8 again"
    assert intake.good == size - 2


def digest_fast(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number + 1:048x}"


def test_it_lists_the_first_faults_and_counts_and_writes_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\n".join([HEADER, *(line(number, "Q") for number in range(250))]))
    with open_engine(read=[path], write=tmp_path) as engine:
        intake = read_entries(engine, path, fmt=PAIR)
        assert (len(intake.problems), intake.problem_count) == (MAX_PROBLEM_LINES, 250)
        assert write_errors_csv(engine, tmp_path / "errors.csv") == 250
    with (tmp_path / "errors.csv").open() as file:
        errors = list(csv.DictReader(file))
    assert [int(error["line"]) for error in errors] == list(range(2, 252))
    assert errors[0]["column"] == "category"


def test_it_does_not_repeat_hostile_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"{HEADER}\n{line(1, chr(27) + '[31m' + 'y' * 500)}\n")
    (found,) = read(path).problems
    assert chr(27) not in found.message
    assert len(found.message) < 120


def test_it_names_faults_of_ndjson(tmp_path: Path) -> None:
    good = json.dumps({"sha256": digest(1).hex()})
    bad = [
        "{",
        "[1]",
        '"x"',
        json.dumps({"sha256": digest(2).hex(), "note": "x"}),
        json.dumps({"md5": None}),
        json.dumps({"sha256": ["x"]}),
    ]
    intake = read(write(tmp_path / "a.ndjson", "\n".join([good, "", *bad, good])))
    assert [(it.line, it.column) for it in intake.problems] == [
        (3, ""), (4, ""), (5, ""), (6, ""), (7, "sha256"), (8, "sha256"), (9, "sha256"),
    ]  # fmt: skip
    assert "note" in intake.problems[3].message


# --- Faults of files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", HEADER + "\n", "holds no entries"),
        ("a.csv", "\n\n", "wrong header"),
        ("a.csv", "sha256,md5\nx,y\n", "'category' is missing"),
        ("a.csv", "sha256,md5,category,victim\n", "'victim' is not a column"),
        ("a.csv", "sha256,sha256,md5,category\n", "twice"),
        ("a.csv", line(1) + "\n", "wrong header"),
        ("a.csv", HEADER.encode("utf-16"), "not UTF-8"),
        ("a.parquet", "PAR1 not really PAR1", "not readable as Parquet"),
        ("a.xlsx", "PK", "only .csv"),
        ("a.ndjson", "\n\n", "holds no entries"),
    ],
)
def test_it_rejects_whole_files(tmp_path: Path, name: str, data: str | bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        read(write(tmp_path / name, data))
    if "header" in words or "column" in words:
        assert refused.value.next_step == "Expected: sha256,md5,category"


def test_it_rejects_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a file"):
        read(tmp_path / "none.csv")


# --- Changes ------------------------------------------------------------------------------------------------------


def test_it_reads_changes(tmp_path: Path) -> None:
    text = f"op,reason,{HEADER}\nupsert,,{line(1)}\n,,{line(2)}\nwithdraw,incorrect,{line(3)}\nreinstate,,{line(4)}\n"
    rows = rows_of(write(tmp_path / "a.csv", text), PAIR, changes=True)
    assert sorted(str(row[0]) for row in rows) == ["1", "1", "2", "3"]
    (withdrawn,) = [row for row in rows if row[0] == 2]
    assert withdrawn[1] == "incorrect"
    assert withdrawn[4:] == (None, None)


def test_it_reads_a_file_of_withdrawals_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"op,sha256\nwithdraw,{digest(1).hex()}\n")
    assert problems(path, changes=True) == [(2, "reason")]
    assert read(path, changes=True, reason="superseded").problem_count == 0


def test_it_rejects_upserts_that_would_erase_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"sha256\n{digest(1).hex()}\n")
    with pytest.raises(BadInput, match="md5, category"):
        read(path, changes=True)


@pytest.mark.parametrize("changes", [False, True])
def test_it_leaves_a_column_empty_that_somebody_said_is_not_in_the_file(tmp_path: Path, changes: bool) -> None:
    path = write(tmp_path / "a.csv", f"hash\n{digest(1).hex()}\n")
    names = {"hash": "sha256", not_in_file("md5"): "md5", not_in_file("category"): "category"}
    with open_engine(read=[path], write=path.parent) as engine:
        intake = read_entries(engine, path, fmt=PAIR, changes=changes, names=names)
        intake.require_good()
        assert engine.execute(f"SELECT md5, category FROM {intake.table}").fetchall() == [(None, None)]
        del names[not_in_file("md5")]
        with pytest.raises(BadInput, match="md5"):
            read_entries(engine, path, fmt=PAIR, changes=changes, names=names)


def test_it_never_leaves_the_key_empty(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "category\nA\n")
    names = {not_in_file("sha256"): "sha256", not_in_file("md5"): "md5"}
    with open_engine(read=[path], write=path.parent) as engine, pytest.raises(BadInput, match="'sha256' is missing"):
        read_entries(engine, path, fmt=PAIR, names=names)


def test_it_rejects_unknown_operations_and_reasons(tmp_path: Path) -> None:
    text = f"op,reason,{HEADER}\ndelete,,{line(1)}\nwithdraw,court order,{line(2)}\n"
    assert problems(write(tmp_path / "a.csv", text), changes=True) == [(2, "op"), (3, "reason")]


def test_a_withdrawal_of_what_no_list_holds_is_not_said_to_match_files(tmp_path: Path) -> None:
    text = f"op,reason,{HEADER}\nwithdraw,incorrect,{'0' * 64},,\nupsert,,{'0' * 64},,A\n"
    withdrawn, added = read(write(tmp_path / "a.csv", text), changes=True).problems
    assert "nothing to withdraw" in withdrawn.message
    assert "harmless files" in added.message
