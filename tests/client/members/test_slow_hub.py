"""A hub that sends a byte now and then: given up within the time that the user allows, whatever it drips."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hashshare.client.patience import SLOWEST, Pace, TooSlowError, patience
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import TooSlow, UsageError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "headers": b"HTTP/1.1 200 OK\r\nX-Endless: ",
    "body": HEAD + b"Content-Length: 1000000\r\n\r\n",
    "chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
}


@contextmanager
def dripping(start: bytes, *, then: bytes = b"0") -> Iterator[str]:
    """A server that sends `start` at once and then `then` over and over, ten times a second."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(start)
                while not stop.wait(0.1):
                    try:
                        connection.sendall(then)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HASHSHARE_PATIENCE", "1")


@pytest.mark.parametrize("part", DRIPS)
def test_it_gives_up_on_a_drip(part: str) -> None:
    """No single wait for a byte is ever long, so a limit on those alone would never end it."""
    with dripping(DRIPS[part]) as url:
        session = Session(url, key=keys.generate())
        begun = time.monotonic()
        with pytest.raises(TooSlow):
            session.send("POST", "tokens")
    assert time.monotonic() - begun < 10


def test_it_waits_for_a_hub_that_is_only_steady() -> None:
    body = b"[" + b" " * 40_000 + b"]"
    with dripping(HEAD + b"Content-Length: %d\r\n\r\n" % len(body), then=body[: len(body) // 15 + 1]) as url:
        session = Session(url, key=keys.generate())
        session.send("POST", "tokens")


def test_only_waiting_counts() -> None:
    """Whoever verifies for an hour between two reads has not waited for the hub."""
    pace = Pace(seconds=10)
    for _ in range(100):
        pace.count(1, waited=0.09)
    pace.count(SLOWEST * 11, waited=1.5)
    with pytest.raises(TooSlowError):
        pace.count(SLOWEST * 10, waited=10.1)


def test_each_span_is_judged_by_itself() -> None:
    """What came fast at first is no credit to drip on for years."""
    pace = Pace(seconds=1)
    pace.count(1 << 30, waited=1)
    with pytest.raises(TooSlowError):
        pace.count(1, waited=1)


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan", "4000"])
def test_patience_is_a_number_of_seconds(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HASHSHARE_PATIENCE", text)
    with pytest.raises(UsageError, match="HASHSHARE_PATIENCE"):
        patience()
