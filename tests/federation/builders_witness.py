"""A log of another hub, in memory: it grows, forks, and asks for cosignatures. And such a hub over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from hashshare.wire import keys
from hashshare.wire.errors import Conflict, LogForked, WrongProof
from hashshare.wire.log import (
    EMPTY_ROOT,
    AddCheckpoint,
    Checkpoint,
    Cosigner,
    Frontier,
    Tree,
    check_step,
    cosign,
    parse_tile_path,
    publication_entry,
    sign_checkpoint,
)
from hashshare.wire.log.notes import read_note
from hashshare.wire.log.witnessing import SIZE_TYPE
from tests.federation.builders import Hub
from tests.wire.log.naive import Shelf


@dataclass
class HubLog:
    """`entries` of it so far; all signed by the hub's log key."""

    hub: Hub
    name: str = "publication"
    entries: list[bytes] = field(default_factory=list)
    shelf: Shelf = field(default_factory=Shelf)
    size: int = 0

    @property
    def origin(self) -> str:
        return f"{self.hub.name}/log/{self.name}"

    def grow(self, count: int, *, word: str = "metadata") -> Self:
        first = len(self.entries)
        return self.add([publication_entry(f"{word} {number}".encode()) for number in range(first, first + count)])

    def add(self, entries: list[bytes]) -> Self:
        frontier = Frontier(self.size, self.shelf.read)
        self.shelf.put(frontier.extend(entries))
        self.entries, self.size = [*self.entries, *entries], frontier.size
        return self

    def fork(self, at: int, *, to: int) -> HubLog:
        """Another log of that name, which begins with the first `at` entries and goes on otherwise."""
        other = HubLog(self.hub, self.name).add(self.entries[:at])
        return other.grow(to - at, word="rewritten")

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = self.size if size is None else size
        return Checkpoint(self.origin, size, Tree(size, self.shelf.read).root())

    def note(self, size: int | None = None) -> str:
        return sign_checkpoint(self.checkpoint(size), key=self.hub.log)

    def ask(self, old: int, size: int | None = None) -> AddCheckpoint:
        size = self.size if size is None else size
        proof = Tree(size, self.shelf.read).consistency_proof(old) if old <= size else []
        return AddCheckpoint(old, tuple(proof), self.note(size))


@dataclass
class PublicHub:
    """Another hub as the public sees it, on a port of its own: `logs` by name, and whatever else is in `files`.

    As a witness it cosigns whatever extends what it cosigned (`known`), and shows it. `faults`: beginning of a path ->
    (status, body) that is answered instead. `asked` are the paths that were asked for.
    """

    hub: Hub
    logs: dict[str, HubLog] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    known: dict[str, tuple[Checkpoint, str]] = field(default_factory=dict)
    faults: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    at: int | None = None

    @property
    def cosigner(self) -> Cosigner:
        return Cosigner(f"{self.hub.name}/witness", keys.public_bytes(self.hub.witness))

    def show(self, log: HubLog, size: int | None = None) -> None:
        self.logs[log.name] = log
        self.sizes[log.name] = log.size if size is None else size

    def cosign(self, note: str) -> str:
        """Its line, whatever it knew before."""
        text, _ = read_note(note)
        at = int(time.time()) if self.at is None else self.at
        made = cosign(text, name=self.cosigner.name, key=self.hub.witness, at=at).line
        checkpoint = Checkpoint.parse(text)
        self.known[checkpoint.origin] = (checkpoint, note + made)
        return made

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes, str]:
        self.asked.append(f"{method} {path}")
        for start, (status, given) in self.faults.items():
            if path.startswith(start):
                return status, given, "text/plain"
        if method == "POST":
            return self._post(path, body)
        if path.startswith("/witness/cosigned/"):
            known = self.known.get(path.removeprefix("/witness/cosigned/"))
            return (200, known[1].encode(), "text/plain") if known else (404, b"{}", "application/json")
        found = self.files.get(path) or self._of_log(path)
        return (404, b"{}", "application/json") if found is None else (200, found, "text/plain")

    def _post(self, path: str, body: bytes) -> tuple[int, bytes, str]:
        if path == "/api/v1/tokens":
            return 201, b'{"token": "a-token", "expires_in": 600}', "application/json"
        asked = AddCheckpoint.parse(body)
        offered = Checkpoint.parse(read_note(asked.note)[0])
        known, _ = self.known.get(offered.origin, (Checkpoint(offered.origin, 0, EMPTY_ROOT), ""))
        try:
            check_step(known, asked, offered)
        except (Conflict, LogForked):
            return 409, f"{known.size}\n".encode(), SIZE_TYPE
        except WrongProof:
            return 422, b"", "text/plain"
        return 200, self.cosign(asked.note).encode(), "text/plain"

    def _of_log(self, path: str) -> bytes | None:
        """What is served of the logs, at any size."""
        for name, log in self.logs.items():
            below = path.removeprefix(f"/log/{name}/")
            if below == path:
                continue
            if below == "checkpoint":
                return log.note(self.sizes[name]).encode()
            if below == "successions":
                return b'{"successions": []}'
            if below.startswith("tile/"):
                place = parse_tile_path(below)
                return log.shelf.read(place.level, place.index, place.width)
        return None


@contextmanager
def serving(public: PublicHub) -> Iterator[str]:
    """Its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            status, given, kind = public.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(given)))
            self.end_headers()
            self.wfile.write(given)

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
