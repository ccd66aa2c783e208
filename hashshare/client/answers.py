"""What the hub answers, as far as HTTP and JSON themselves go: how much of it is read, how long it says to wait."""

from __future__ import annotations

import contextlib
import email.utils
import json
import random
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import requests

from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.errors import NetworkError
from hashshare.wire.limits import KIB, MIB

MAX_ANSWER: Final = 32 * MIB
"""Of decompressed bytes. A catalogue of a thousand lists with long descriptions takes a third of it; objects, which
may be longer, are streamed and bounded by the length that was signed.
"""

_RANDOM = random.SystemRandom()


def read_whole(response: requests.Response) -> None:
    """Make `response.content` of what comes: a few compressed bytes must not become gigabytes here.

    Raises NetworkError above the bound, the exceptions of `requests` when it breaks off.
    """
    body = bytearray()
    for block in response.iter_content(64 * KIB):
        body += block
        if len(body) > MAX_ANSWER:
            response.close()
            raise NetworkError(f"{urlsplit(response.url).netloc} answers with more than {MAX_ANSWER // MIB} MiB.")
    response._content = bytes(body)


def json_of(response: requests.Response) -> Any:
    """The JSON of an answer. Raises ValueError for anything else: numbers that not every reader keeps are none, and
    what is nested deeper than Python reads is none either.
    """
    try:
        return json.loads(response.content, parse_int=_whole, parse_float=_finite, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _whole(text: str) -> int:
    if abs(number := int(text)) > MAX_INTEGER:
        _refuse(text)
    return number


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        _refuse(text)
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is not a number of JSON")


def skew_of(response: requests.Response, *, default: int | None = None) -> int | None:
    """Seconds by which our clock is ahead of the answer's Date (RFC 9110 section 6.6.1), `default` without one, and for
    an answer out of a cache (it has an Age, RFC 9111 section 5.1), whose Date is of another time.
    """
    if "Age" in response.headers:
        return default
    told = _moment(response.headers.get("Date", ""))
    return default if told is None else round((datetime.now(UTC) - told).total_seconds())


def retry_after(response: requests.Response, *, default: float) -> float:
    """Seconds that the answer asks to wait (RFC 9110 section 10.2.3: seconds or a date), with up to 10 % jitter."""
    text = response.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        told = _moment(text)
        return default if told is None else max(0.0, (told - datetime.now(UTC)).total_seconds())
    return max(0.0, seconds) * _RANDOM.uniform(1.0, 1.1)


def _moment(text: str) -> datetime | None:
    """A date of HTTP (RFC 9110 section 5.6.7) in UTC; None for what is none."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        told = email.utils.parsedate_to_datetime(text)
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told
    return None
