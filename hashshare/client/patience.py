"""How slow a hub may be: whoever sends just fast enough never to time out could hold a sync for months.

Every byte of an answer is counted where it leaves the socket, headers and the frames of chunks included, against the
time spent waiting for it; what is done here with the bytes meanwhile costs the sender nothing. (TUF specification 1.1,
"slow retrieval attacks".)
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hashshare.wire.errors import UsageError
from hashshare.wire.limits import KIB

VARIABLE: Final = "HASHSHARE_PATIENCE"
DEFAULT_SECONDS: Final = 60.0
SLOWEST: Final = 4 * KIB
"""Bytes a second of waiting below which a hub is given up: a fraction of an old modem's speed."""


class TooSlowError(TimeoutError):
    """Bytes come, and too few of them."""


def patience() -> float:
    """Seconds to wait for a byte, and over which speed is judged. Raises UsageError when the variable is no number."""
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text or DEFAULT_SECONDS)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise UsageError(f"{VARIABLE}={text!r} is not a number of seconds from 1 to 3600.")
    return seconds


class Pace:
    """Judges one answer's speed. `seconds` is the span over which an average counts."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._waited, self._received = 0.0, 0

    def count(self, size: int, *, waited: float) -> None:
        """`size` bytes came after `waited` seconds. Raises TooSlowError."""
        self._waited += waited
        self._received += size
        if self._waited < self._seconds:
            return
        if self._received < SLOWEST * self._waited:
            raise TooSlowError(f"{self._received} bytes in {self._waited:.0f} s")
        self._waited, self._received = 0.0, 0


class _PacedReader(io.RawIOBase):
    """A socket's bytes, with the waiting for them timed."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        begun = time.monotonic()
        size: int | None = self._raw.readinto(buffer)
        self._pace.count(size or 0, waited=time.monotonic() - begun)
        return size

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        raw: Any = self.fp.detach()
        self.fp = io.BufferedReader(_PacedReader(raw, Pace(seconds=patience())))


class _PacedConnection(HTTPConnection):
    response_class = _PacedResponse


class _PacedSecureConnection(HTTPSConnection):
    response_class = _PacedResponse


class _PacedPool(HTTPConnectionPool):
    ConnectionCls = _PacedConnection


class _PacedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _PacedSecureConnection


class PacedAdapter(HTTPAdapter):
    """`requests`' own transport over connections whose answers are paced, through a proxy too."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _PacedPool, "https": _PacedSecurePool}

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = {"http": _PacedPool, "https": _PacedSecurePool}
        return manager


def paced(session: requests.Session) -> requests.Session:
    """The same session, which gives up on whoever is too slow."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, PacedAdapter())
    return session


def was_too_slow(error: BaseException) -> bool:
    """Whether an exception of the libraries came of TooSlowError."""
    return any(isinstance(cause, TooSlowError) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, *(it for it in cause.args if isinstance(it, BaseException))]
