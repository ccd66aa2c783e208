"""HTTP conditions and ranges (RFC 9110 sections 13 and 14), as far as this API uses them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"^bytes=(\d{0,19})-(\d{0,19})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class RangeNotSatisfiableError(Exception):
    """The range begins after the last byte (416)."""


def etag_of(digest: str) -> str:
    """A strong entity tag made of a content digest."""
    return f'"{digest}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client's If-None-Match holds this entity (weak comparison, RFC 9110 section 13.1.2)."""
    if not if_none_match:
        return False
    held = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in held or etag in held


def requested_range(header: str | None, *, if_range: str | None, etag: str, length: int) -> ByteRange | None:
    """The one range to serve, or None for the whole.

    Several ranges, other units and malformed headers are ignored, as RFC 9110 section 14.2 allows, and so is a range
    whose If-Range names another entity. Raises RangeNotSatisfiableError.
    """
    if not header or (if_range is not None and if_range.strip() != etag):
        return None
    found = _ONE_RANGE.match(header.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return _suffix(int(last), length)
    if last and int(last) < int(first):
        return None
    if int(first) >= length:
        raise RangeNotSatisfiableError
    return ByteRange(int(first), min(int(last), length - 1) if last else length - 1)


def _suffix(size: int, length: int) -> ByteRange:
    if size == 0 or length == 0:
        raise RangeNotSatisfiableError
    return ByteRange(max(0, length - size), length - 1)
