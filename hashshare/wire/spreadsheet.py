"""CSV that is safe to open in a spreadsheet: text that came from others never becomes a formula there."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import IO

_FORMULA = re.compile("(^|[,;\t|\"'])(\\s*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a cell, or what a program that splits at another separator takes for one, begins like a formula; the characters
of East Asian keyboards count too (OWASP, CSV Injection).
"""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
"""Line breaks among them: in a cell they begin a line of their own wherever quotes are not understood."""


def safe_cell(value: object) -> str:
    """A cell's text; None is empty. A number stays a number, whatever else looks like a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))
    return _FORMULA.sub(r"\1\2'", text)


class Sheet:
    """CSV that is written row by row to `file`, which was opened with newline=""."""

    def __init__(self, file: IO[str], headings: Sequence[str]) -> None:
        self._writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        self._writer.writerow(headings)
        self.rows = 0

    def add(self, row: Sequence[object]) -> None:
        self._writer.writerow([safe_cell(value) for value in row])
        self.rows += 1
