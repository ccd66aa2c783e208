"""How slow a hub may be: whoever sends just fast enough never to time out could hold a sync for months.

Every byte of an answer is counted where it leaves the socket, headers and the frames of chunks included, against the
time spent waiting for it; what is done here with the bytes meanwhile costs the sender nothing. (TUF specification 1.1,
"slow retrieval attacks".)
"""

from __future__ import annotations

import http.client
import io
import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from hashshare.wire.errors import UsageError
from hashshare.wire.limits import KIB

VARIABLE: Final = "HASHSHARE_PATIENCE"
DEFAULT_SECONDS: Final = 60.0
SLOWEST: Final = 4 * KIB
"""Bytes a second of waiting below which a hub is given up: a fraction of an old modem's speed."""


MOST_ADDRESSES: Final = 8
"""Of one name that are tried."""
MOST_HEAD: Final = 512 * KIB
"""Bytes before the body of an answer begins; http.client alone bounds neither interim answers nor headers in all."""


class TooSlowError(TimeoutError):
    """Bytes come, and too few of them."""


class UnreachableError(OSError):
    """A name (the first argument) stands for network addresses at which nothing is to be asked."""


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
    """Judges one answer's speed. `seconds` is the span over which an average counts, `within` all that may be waited
    for it.
    """

    def __init__(self, *, seconds: float, within: float = math.inf) -> None:
        self._seconds, self._left = seconds, within
        self._waited, self._received = 0.0, 0

    def count(self, size: int, *, waited: float) -> None:
        """`size` bytes came after `waited` seconds. Raises TooSlowError."""
        self._left -= waited
        if self._left < 0:
            raise TooSlowError("not all within the time")
        self._waited += waited
        self._received += size
        if self._waited < self._seconds:
            return
        if self._received < SLOWEST * self._waited:
            raise TooSlowError(f"{self._received} bytes in {self._waited:.0f} s")
        self._waited, self._received = 0.0, 0


@dataclass(frozen=True, slots=True)
class Transport:
    """How connections are made and judged. `seconds`: over which an answer's speed counts, None: as the environment
    says; `within`: that may be waited for an answer in all.

    `reachable` says of each network address that a name stands for, as text, whether it may be connected to; what was
    asked about is what is connected to, so that the name cannot mean something else a moment later. Through a proxy,
    names are the proxy's business.
    """

    seconds: float | None = None
    within: float = math.inf
    reachable: Callable[[str], bool] | None = None

    @property
    def pace(self) -> Pace:
        return Pace(seconds=patience() if self.seconds is None else self.seconds, within=self.within)


class _PacedReader(io.RawIOBase):
    """A socket's bytes, with the waiting for them timed. `head` bytes may come until there is a body."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self._raw, self._pace = raw, pace
        self.head: int | None = MOST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        begun = time.monotonic()
        size: int | None = self._raw.readinto(buffer)
        self._pace.count(size or 0, waited=time.monotonic() - begun)
        if self.head is not None:
            self.head -= size or 0
            if self.head < 0:
                raise http.client.HTTPException(f"more than {MOST_HEAD} bytes of headers")
        return size

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    transport = Transport()

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        raw: Any = self.fp.detach()
        self._paced = _PacedReader(raw, self.transport.pace)
        self.fp = io.BufferedReader(self._paced)

    def begin(self) -> None:
        super().begin()
        self._paced.head = None


def _pools(transport: Transport, *, direct: bool) -> dict[str, Any]:
    """The classes that urllib3 makes connections of, by scheme."""

    class Response(_PacedResponse):
        pass

    Response.transport = transport
    reachable = transport.reachable if direct else None

    class Connection(HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _first_reached(self, super()._new_conn, reachable) if reachable else super()._new_conn()

    class SecureConnection(HTTPSConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _first_reached(self, super()._new_conn, reachable) if reachable else super()._new_conn()

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


def _first_reached(
    connection: HTTPConnection, connect: Callable[[], socket.socket], reachable: Callable[[str], bool]
) -> socket.socket:
    """By the first of the addresses that answers, each of which was asked about; the certificate is checked against
    the name as ever. Raises the error of the last, NewConnectionError for a name that leads where it must not.
    """
    name = connection._dns_host
    addresses = _addresses(connection, name)
    if not addresses or not all(map(reachable, addresses)):
        cause = UnreachableError(name)
        raise NewConnectionError(connection, "an address at which nothing is asked") from cause
    try:
        for address in addresses[:-1]:
            with suppress(NewConnectionError, ConnectTimeoutError):
                connection._dns_host = address
                return connect()
        connection._dns_host = addresses[-1]
        return connect()
    finally:
        connection._dns_host = name


def _addresses(connection: HTTPConnection, name: str) -> list[str]:
    """Each once, in the order in which they are to be tried."""
    try:
        found = socket.getaddrinfo(name.strip("[]"), connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NewConnectionError(connection, f"{name} has no address") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))[:MOST_ADDRESSES]


class PacedAdapter(HTTPAdapter):
    """`requests`' own transport over connections whose answers are paced, through a proxy too."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = _pools(self._transport, direct=True)

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        manager.pool_classes_by_scheme = _pools(self._transport, direct=False)
        return manager


def paced(session: requests.Session, transport: Transport | None = None) -> requests.Session:
    """The same session, which gives up on whoever is too slow."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, PacedAdapter(transport or Transport()))
    return session


def unreachable_name(error: BaseException) -> str:
    """The host that an UnreachableError was about, from which an exception of the libraries came; else nothing."""
    return next((str(cause.args[0]) for cause in _causes(error) if isinstance(cause, UnreachableError)), "")


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
