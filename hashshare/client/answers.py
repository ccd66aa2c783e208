"""What the hub answers, as far as HTTP itself goes: how much of it is read, and how long it says to wait."""

from __future__ import annotations

import contextlib
import email.utils
import random
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import requests

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


def skew_of(response: requests.Response, *, default: int | None = None) -> int | None:
    """Seconds by which our clock is ahead of the answer's Date (RFC 9110 section 6.6.1), `default` without one, and for
    an answer out of a cache (it has an Age, RFC 9111 section 5.1), whose Date is of another time.
    """
    if "Age" in response.headers:
        return default
    with contextlib.suppress(ValueError, TypeError):
        told = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        return round((datetime.now(UTC) - told).total_seconds())
    return default


def retry_after(response: requests.Response, *, default: float) -> float:
    """Seconds that the answer asks to wait (RFC 9110 section 10.2.3: seconds or a date), with up to 10 % jitter."""
    text = response.headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        with contextlib.suppress(ValueError):
            seconds = (email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            return max(0.0, seconds)
        return default
    return max(0.0, seconds) * _RANDOM.uniform(1.0, 1.1)
