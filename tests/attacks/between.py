"""Somebody between member and hub: a real HTTP server at the hub's public address, honest until told otherwise.

    between.serve(r"/heads$", body=b"...")         # these bytes in place of the hub's, from now on
    between.serve(r"\\.parquet$", endless=b"0" * 4096)
    between.honest()                               # forget all lies
    between.seen                                   # what passed: (method, path, headers, body)

It may stand for a hostile network as well as for a hostile hub: the hub's own keys are files that a test may read.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "server", "date", "content-length"})
"""Headers that are said anew on each leg."""


@dataclass(frozen=True, slots=True)
class Lie:
    """What is answered to paths that `match` finds: `body`, or `endless` repeated with `pause` seconds between, or what
    the hub said with `change` done to it.
    """

    match: re.Pattern[str]
    body: bytes
    status: int
    headers: dict[str, str]
    endless: bytes
    pause: float
    change: Callable[[bytes], bytes] | None


Seen = tuple[str, str, dict[str, str], bytes]


@dataclass
class Between:
    """`port` is where the world believes the hub to be, `hub_port` where it is."""

    port: int
    hub_port: int
    lies: list[Lie] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    sent: int = 0
    clock: timedelta = timedelta(0)
    """By how much the time that it tells is off."""

    def serve(
        self,
        match: str,
        *,
        body: bytes = b"",
        status: int = 200,
        headers: dict[str, str] | None = None,
        endless: bytes = b"",
        pause: float = 0,
        change: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """Lie about every path that `match` finds; a later lie counts before an earlier one."""
        self.lies.insert(0, Lie(re.compile(match), body, status, headers or {}, endless, pause, change))

    def honest(self) -> None:
        self.lies.clear()
        self.seen.clear()
        self.sent = 0
        self.clock = timedelta(0)

    def lie_about(self, path: str) -> Lie | None:
        return next((lie for lie in self.lies if lie.match.search(path.partition("?")[0])), None)


@contextmanager
def running(between: Between) -> Iterator[Between]:
    server = ThreadingHTTPServer(("127.0.0.1", between.port), type("Handler", (_Handler,), {"between": between}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield between
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    between: Between

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None: ...

    def date_time_string(self, timestamp: float | None = None) -> str:
        """What the header Date says."""
        return super().date_time_string((timestamp or time.time()) + self.between.clock.total_seconds())

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.between.seen.append((self.command, self.path, dict(self.headers.items()), body))
        lie = self.between.lie_about(self.path)
        if lie is None or lie.change:
            self.forward(body, lie.change if lie else None)
        elif lie.endless:
            self.drone(lie)
        else:
            self.reply(lie.status, lie.headers, lie.body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def forward(self, body: bytes, change: Callable[[bytes], bytes] | None) -> None:
        hub = http.client.HTTPConnection("127.0.0.1", self.between.hub_port, timeout=60)
        try:
            hub.request(self.command, self.path, body=body or None, headers=dict(self.headers.items()))
            said = hub.getresponse()
            content = said.read()
            headers = {name: value for name, value in said.getheaders() if name.lower() not in HOP}
            self.reply(said.status, headers, change(content) if change else content)
        finally:
            hub.close()

    def reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(content)

    def drone(self, lie: Lie) -> None:
        """Never come to an end, until the other side hangs up."""
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(lie.endless)
                self.between.sent += len(lie.endless)
                time.sleep(lie.pause)
        except OSError:
            return
