"""What the hub answers, as far as HTTP and JSON go: how much is read, how long it says to wait, and what broke."""

from __future__ import annotations

import contextlib
import email.utils
import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3

from hashshare.client.addresses import is_loopback
from hashshare.client.patience import unreachable_name, was_too_slow
from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.errors import AddressRefused, NetworkError, TooSlow
from hashshare.wire.limits import KIB, MIB

MAX_ANSWER: Final = 32 * MIB
"""Of decompressed bytes. A catalogue of a thousand lists with long descriptions takes a third of it; objects, which
may be longer, are streamed and bounded by the length that was signed.
"""

WHY: Final = "Nothing was changed here; run the command again later. `hashshare doctor` says which link is broken."

NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's reasons, by its version, where the other end does not speak TLS."""

_OPENSSL: Final = re.compile(r"\[SSL(?:: ([A-Z0-9_]{1,60}))?\]")
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


def decoded(response: requests.Response) -> Any:
    """The JSON of a 2xx answer. Raises NetworkError if it is something else (a captive portal, a proxy's page)."""
    try:
        return json_of(response)
    except (ValueError, requests.RequestException) as error:
        raise NetworkError(f"{urlsplit(response.url).netloc} does not answer like a hashshare hub.") from error


def decoded_object(response: requests.Response) -> dict[str, Any]:
    """The same of an answer that is an object. Raises NetworkError."""
    document = decoded(response)
    if not isinstance(document, dict):
        raise NetworkError(f"{urlsplit(response.url).netloc} does not answer like a hashshare hub.")
    return document


def network_error(error: BaseException, hub_url: str) -> NetworkError:
    """What broke, in words; nothing of the request is repeated."""
    host = urlsplit(hub_url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return _tls_error(str(error), hub_url)
    if was_too_slow(error):
        return TooSlow(f"{host} sends so slowly that its answer was given up.")
    if name := unreachable_name(error):
        return AddressRefused(
            f"{name} stands for an address inside of a network or on this machine itself; nothing was asked there."
        )
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return NetworkError(f"{host} does not answer in time.", next_step=WHY)
    if isinstance(error, requests.ConnectionError):
        return NetworkError(f"{host} cannot be reached.", next_step=WHY)
    return NetworkError(f"The connection to {host} broke off ({type(error).__name__}).")


def _tls_error(said: str, hub_url: str) -> NetworkError:
    """`said` has OpenSSL's word for what broke."""
    parts = urlsplit(hub_url)
    if any(word in said for word in NO_TLS):
        there = f"http://{parts.netloc}/ may be it" if is_loopback(parts.hostname or "") else "Nothing was sent"
        return NetworkError(
            f"{parts.netloc} speaks plain http:// there, not https://.",
            next_step=f"Ask the hub's operator for its address, with its port. {there}; off one machine, a hub is "
            "reached by https:// alone.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return NetworkError(
            f"The certificate of {parts.netloc} does not verify.",
            next_step="If the hub's certificate is your own authority's, name it: REQUESTS_CA_BUNDLE=/path/ca.pem",
        )
    word = _OPENSSL.search(said)
    return NetworkError(
        f"No https:// connection with {parts.netloc} comes about{f' ({word[1]})' if word else ''}.",
        next_step="Ask the hub's operator whether that is its address, and what stands before it.",
    )


def chunks(response: requests.Response, *, hub_url: str, chunk: int = 1 << 18) -> Iterator[bytes]:
    """The body in pieces of at most `chunk` bytes, each as soon as it is here, so that what came before a connection
    broke is not lost; broken connections as NetworkError.
    """
    try:
        while block := response.raw.read1(chunk, decode_content=True):
            yield block
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise network_error(error, hub_url) from error
    finally:
        response.close()
