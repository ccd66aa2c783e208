"""A file whose columns are called otherwise than the list's."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import BadInput
from hashshare.wire.intake import Intake, Names, read_entries
from hashshare.wire.sources import read_header

FMT = ListFormat(("sha256",), "uk-abc", ("category",))
NAMES = {"hash wert": "sha256", "klasse": "category", "fall": ""}


def read(path: Path, names: Names) -> Intake:
    with open_engine(read=[path], write=path.parent) as engine:
        return read_entries(engine, path, fmt=FMT, names=names)


def test_it_reads_columns_by_the_names_given_and_leaves_one_out(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"Hash Wert;Fall;Klasse\n{secrets.token_hex(32)};17;A\n{secrets.token_hex(32)};18;B\n")
    assert read_header(path) == ("hash wert", "fall", "klasse")
    assert read(path, NAMES).good == 2


def test_it_tells_the_line_of_a_fault_in_the_file_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"Hash Wert;Fall;Klasse\n{secrets.token_hex(32)};17;A\n{secrets.token_hex(32)};18;Q\n")
    (problem,) = read(path, NAMES).problems
    assert (problem.line, problem.column) == (3, "category")


def test_it_reads_a_mended_file_by_the_same_names(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    lines = f"Hash Wert;Fall;Klasse\r{secrets.token_hex(32)};17;A\r{secrets.token_hex(32)};18;B\r"
    path.write_bytes(lines.encode())
    assert read(path, NAMES).good == 2


def test_it_refuses_a_list_column_that_is_named_twice_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"a,b\n{secrets.token_hex(32)},A\n")
    with pytest.raises(BadInput, match="stands there twice"):
        read(path, {"a": "sha256", "b": "sha256"})
    with pytest.raises(BadInput, match="'category' is missing"):
        read(path, {"a": "sha256", "b": ""})


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\x89PNG\r\n", "an image"),
        ("sha256,category\n".encode("utf-16"), "UTF-16"),
        (b"sha256\x00,category\n", "not a text file"),
        (b"", "is empty"),
        (b"\n\n", "blank line"),
        (b"a," * 40_000, "longer than"),
        (b"\xe9,b\n", "not UTF-8"),
        (b",".join([b"a"] * 70) + b"\n", "70 columns"),
    ],
)
def test_it_says_what_a_file_is_that_is_no_csv(tmp_path: Path, start: bytes, word: str) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(start)
    with pytest.raises(BadInput, match=word):
        read_header(path)
