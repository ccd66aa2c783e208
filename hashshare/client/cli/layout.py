"""Fitting words to a terminal: lines folded between words, tables measured, long names cut. Text in, text out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Final

_LONG_NAME: Final = re.compile(r"\S*?/((?:objects/)?[\w.-]*?[0-9a-f]{8})[0-9a-f]{56}(?![0-9a-f])")
"""The path of a file that is named by its digest, as in a store."""


def shortened(text: str) -> str:
    """Paths of files that are named by their digest, cut for people; --json has them whole."""
    return _LONG_NAME.sub("\N{HORIZONTAL ELLIPSIS}/\\1\N{HORIZONTAL ELLIPSIS}", text)


def folded(line: str, width: int, *, indent: int, column: int = 0) -> list[str]:
    """A line in pieces of at most `width` characters, cut between words; the first begins at `column`."""
    start, later = "\0" * column, " " * indent
    pieces = textwrap.wrap(start + line, width, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)
    return [piece.removeprefix(start) for piece in pieces] if column else pieces


def least_width(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How wide a table of these must be: its first column whole, the others without breaking a word."""
    columns = list(zip(headings, *rows, strict=True))
    words = [max((len(word) for cell in column for word in cell.split()), default=0) for column in columns]
    return max(map(len, columns[0])) + sum(words[1:]) + len(words) - 1


def packed(cells: Sequence[str], width: int) -> list[str]:
    """The cells three spaces apart, as many to a line as it holds."""
    lines: list[str] = []
    for cell in cells:
        if lines and len(lines[-1]) + 3 + len(cell) <= width:
            lines[-1] += f"   {cell}"
        else:
            lines.append(cell)
    return lines
