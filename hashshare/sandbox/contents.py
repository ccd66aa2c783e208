"""Which harmless files stand on the sandbox list at which version: a few for good, others that come and go nightly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from hashshare.sandbox.files import HarmlessFile, harmless_file

FOR_GOOD: Final = 32
"""Numbers 0 to 31 are listed at every version."""
FIRST: Final = 200
"""Entries of version 1."""
ADDED: Final = 5
TAKEN: Final = 2
"""In each version after the first: what comes at the end and goes at the beginning, so that the list grows slowly."""
NEVER: Final = range(1_000_003, 1_000_011)
"""Numbers that are never listed."""

ALGORITHMS: Final = ("sha256", "md5", "sha1")
COLUMNS: Final = ("category", "media", "first_seen")
SCHEME: Final = "uk-abc"
BEGAN: Final = date(2026, 1, 1)


def listed(version: int) -> list[int]:
    """Numbers on the list at `version`, which is 1 or more."""
    gone, come = TAKEN * (version - 1), ADDED * (version - 1)
    return [*range(FOR_GOOD), *range(FOR_GOOD + gone, FIRST + come)]


def listed_from(number: int) -> int:
    """The first version that has it."""
    return 1 if number < FIRST else 2 + (number - FIRST) // ADDED


def withdrawn_at(number: int) -> int | None:
    """The first version that has it no more; None for one that stays."""
    return None if number < FOR_GOOD else 2 + (number - FOR_GOOD) // TAKEN


def first_release() -> str:
    """Version 1 as a CSV to publish."""
    return _csv((*ALGORITHMS, *COLUMNS), ([*_digests(n), *_metadata(n)] for n in listed(1)))


def changes_to(version: int) -> str:
    """What makes `version` of the one before, as a CSV of operations; `version` is 2 or more."""
    before, after = listed(version - 1), listed(version)
    added = [number for number in after if number not in before]
    taken = [number for number in before if number not in after]
    rows: list[Sequence[object]] = [["upsert", "", *_digests(n), *_metadata(n)] for n in added]
    rows += [["withdraw", "incorrect", harmless_file(n).sha256, *[""] * 5] for n in taken]
    return _csv(("op", "reason", *ALGORITHMS, *COLUMNS), rows)


def _digests(number: int) -> list[str]:
    file: HarmlessFile = harmless_file(number)
    return [file.sha256, file.md5, file.sha1]


def _metadata(number: int) -> list[str]:
    """Made up, so that an integration meets every category."""
    seen = BEGAN + timedelta(days=number % 300)
    return ["ABC"[number % 3], "image", seen.isoformat()]


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
