"""CSV that is safe to open in a spreadsheet: text that came from others never becomes a formula there."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import IO

from hashshare.wire.plain_text import in_a_line

_FORMULA = re.compile("(^|[,;\t|\"'])(\\s*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a cell, or what a program that splits at another separator takes for one, begins like a formula; the characters
of East Asian keyboards count too (OWASP, CSV Injection).
"""


def safe_cell(value: object) -> str:
    """A cell's text; None is empty. A number stays a number, whatever else looks like a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    # Line breaks too: in a cell they begin a line of their own wherever quotes are not understood.
    text = in_a_line(str(value))
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
