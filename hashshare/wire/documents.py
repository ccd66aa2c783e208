"""Strict reading and plain writing of the JSON documents of the format.

Python's `json` accepts what other readers refuse or read differently (a name given twice, NaN, a lone surrogate).
Signed bytes must mean one thing to everybody, so such documents are refused here. No document's own rules live here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NoReturn, TypeVar

from hashshare.wire.errors import VerificationFailed

T = TypeVar("T")

MAX_DEPTH: Final = 24
MAX_INTEGER: Final = 2**53 - 1
"""RFC 8259 section 6: the largest integer that every JSON reader keeps exactly."""

TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_TIME_SHAPE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def read_object(body: bytes, *, limit: int, error: type[VerificationFailed], what: str) -> dict[str, Any]:
    """The one JSON object in `body` (UTF-8, at most `limit` bytes); raises `error`, which calls it `what`."""
    if len(body) > limit:
        raise error(f"The {what} has {len(body)} bytes; {limit} are allowed.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique_names, parse_constant=_no_constant)
        _check_plain(value, MAX_DEPTH)
    except (ValueError, RecursionError) as fault:
        raise error(f"The {what} is not strict JSON: {fault}") from fault
    if not isinstance(value, dict):
        raise error(f"The {what} is not a JSON object.")
    return value


def write_object(value: Mapping[str, Any]) -> bytes:
    """Compact UTF-8 JSON in the order given, with a final newline; the same value always gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def write_time(moment: datetime) -> str:
    """ISO 8601 in UTC with Z and whole seconds."""
    return moment.astimezone(UTC).strftime(TIME)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON value")


def _check_plain(value: Any, depth: int) -> None:
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("a number is too large")
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            name.encode("utf-8")
            _check_plain(item, depth - 1)


class Fields:
    """Takes the known fields out of one JSON object, checking each; `rest` is what a newer version added."""

    def __init__(self, value: object, *, where: str, error: type[VerificationFailed]) -> None:
        self._where = where
        self._error = error
        if not isinstance(value, dict):
            self.fail("is not an object")
        self.rest: dict[str, Any] = dict(value)

    def fail(self, message: str) -> NoReturn:
        raise self._error(f"{self._where}: {message}.")

    def take(self, name: str) -> Any:
        """The field's value as it stands."""
        if name not in self.rest:
            self.fail(f"{name} is missing")
        return self.rest.pop(name)

    def optional(self, name: str, read: Callable[[str], T], default: T) -> T:
        """`read(name)` when the field is there, else `default`."""
        return read(name) if name in self.rest else default

    def nested(self, name: str) -> Fields:
        return Fields(self.take(name), where=f"{self._where}.{name}", error=self._error)

    def each(self, name: str, *, limit: int) -> list[Fields]:
        """The objects of an array."""
        items = self._array(name, limit=limit)
        return [Fields(item, where=f"{self._where}.{name}[{n}]", error=self._error) for n, item in enumerate(items)]

    def count(self, name: str, *, at_least: int = 0) -> int:
        value = self.take(name)
        if type(value) is not int or not at_least <= value <= MAX_INTEGER:
            self.fail(f"{name} is not a whole number from {at_least}")
        return int(value)

    def text(self, name: str, *, pattern: re.Pattern[str] | None = None, limit: int = 1_000) -> str:
        return self._text(self.take(name), name, pattern=pattern, limit=limit)

    def texts(self, name: str, *, pattern: re.Pattern[str] | None = None, limit: int) -> tuple[str, ...]:
        """An array of different texts."""
        values = [self._text(value, name, pattern=pattern, limit=1_000) for value in self._array(name, limit=limit)]
        if len(set(values)) != len(values):
            self.fail(f"{name} names something twice")
        return tuple(values)

    def moment(self, name: str) -> datetime:
        text = self.text(name, pattern=_TIME_SHAPE)
        try:
            return datetime.strptime(text, TIME).replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"{name} is not a time")

    def _array(self, name: str, *, limit: int) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list) or len(value) > limit:
            self.fail(f"{name} is not an array of at most {limit}")
        return value

    def _text(self, value: object, name: str, *, pattern: re.Pattern[str] | None, limit: int) -> str:
        if not isinstance(value, str) or len(value) > limit or (pattern and not pattern.fullmatch(value)):
            self.fail(f"{name} is not what is expected there")
        return value
