"""CSV that others' words go into: no cell is a formula, whatever a program splits it at."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashshare.wire.spreadsheet import Sheet, safe_cell

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://elsewhere.example/","a")', '\'=HYPERLINK("http://elsewhere.example/","a")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", "\N{REPLACEMENT CHARACTER}=1"),
        ("a;=1", "a;'=1"),
        ('",=1', "\",'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a\r\n=1", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}=1"),
        ("SHA256:3Fz1+a/b=", "SHA256:3Fz1+a/b="),
        ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
        (None, ""),
        (-5, "-5"),
        (12, "12"),
    ],
)
def test_what_looks_like_a_formula_gets_an_apostrophe(text: object, cell: str) -> None:
    assert safe_cell(text) == cell


@given(st.text(alphabet=st.sampled_from("=+-@;,|\"' \t\r\nab\uff1d\u2028"), max_size=12))
def test_no_text_is_a_formula_at_any_separator(text: str) -> None:
    file = io.StringIO(newline="")
    Sheet(file, ["TEXT"]).add([text])
    written = file.getvalue()
    [_, [whole]] = csv.reader(io.StringIO(written, newline=""))
    assert written.count("\n") == 2
    parts = [part for separator in ",;\t|" for part in whole.split(separator)]
    assert not any(part.strip(' "').startswith(FORMULA) for part in parts)
