"""Leaves of the publication log that anybody can read: a format, three lines that say what happened, and the time.

What the lines are is said where each kind is: `replacements`, `peer_changes`, `takeovers`, `witness_keys`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

from hashshare.wire.documents import TIME, write_time
from hashshare.wire.errors import MalformedLog

Line = re.Pattern[str] | Collection[str]
"""What a line may be: of that pattern, or one of these words."""

Told = tuple[str, str, str, datetime]


def write_entry(form: str, lines: tuple[str, str, str], at: datetime) -> bytes:
    return "".join(f"{line}\n" for line in (form, *lines, write_time(at))).encode()


def read_entry(entry: bytes, form: str, expected: tuple[Line, Line, Line], *, of: str) -> Told | None:
    """The lines and the time; None for an entry of another format.

    Raises MalformedLog, which says `of` what it tells, for one that is not written as `write_entry` does.
    """
    if not entry.startswith(f"{form}\n".encode()):
        return None
    _, *lines = entry.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
    at = _time(lines[3]) if len(lines) == 4 else None
    if at is None or not all(_fits(line, each) for line, each in zip(lines[:3], expected, strict=True)):
        raise _malformed(of)
    told = lines[0], lines[1], lines[2]
    if write_entry(form, told, at) != entry:
        raise _malformed(of)
    return *told, at


def _fits(line: str, expected: Line) -> bool:
    return bool(expected.fullmatch(line)) if isinstance(expected, re.Pattern) else line in expected


def _time(line: str) -> datetime | None:
    try:
        return datetime.strptime(line, TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _malformed(of: str) -> MalformedLog:
    return MalformedLog(f"A leaf that tells of {of} is not written as it must be.")
