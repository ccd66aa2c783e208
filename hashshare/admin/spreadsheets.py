"""Tables for spreadsheets, in which no text that somebody entered is taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet begins a formula with (OWASP, CSV injection), and the mark that keeps it from doing so."""


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """To be saved as `name`; None is an empty cell."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return response


def cell(value: object) -> object:
    """Numbers stay numbers; a text that would be taken for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value
