"""Hub North in a few lines: a real HTTP server on loopback with the API's contract, and the faults a network has."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hashshare.wire import keys
from hashshare.wire.errors import (
    Conflict,
    HashshareError,
    InvitationInvalid,
    NotAuthenticated,
    NotEntitled,
    ReplayedRequest,
)
from hashshare.wire.signatures import SignableRequest, check_body, verify_request
from tests.client.members.aurora import Aurora
from tests.client.members.north_keys import Keyring
from tests.client.members.north_logs import ORGANISATION, Logs

CODE = "7KQ4-M2XF-9D3P"


@dataclass
class Fault:
    """What happens once to the next request whose path has `match` in it.

    `cut`: close the connection after so many bytes of the body. `status`: answer that instead, with `headers`.
    `body`: serve these bytes instead. `delay`: seconds before each chunk.
    """

    match: str
    cut: int | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0
    times: int = 1


@dataclass
class North:
    """Serves `publishers`; remembers `requests` as (method, path, headers)."""

    port: int = 0
    publishers: list[Aurora] = field(default_factory=list)
    keys: dict[str, bytes] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    title: str = "Images"
    terms: str = "Use the hashes to find, nothing else."
    clock_ahead: float = 0
    """Seconds by which this hub's clock is ahead of everybody else's."""
    frozen_heads: bytes | None = None
    named_roots: bool = False
    """Whether the poll names each publisher's root, as hubs do since it was added."""
    claimed_root: int | None = None
    """The root version that the poll names, in place of the true one."""
    more: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What is answered at further addresses, such as `peers/offers`."""
    instead: Callable[[str], Iterable[bytes] | None] = lambda _: None
    """Whatever is sent in place of an answer to a path, its head included; then the connection is closed."""
    logs: Logs = field(default_factory=Logs)
    keyring: Keyring = field(default_factory=Keyring)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self, method: str = "GET") -> list[str]:
        return [path for verb, path, _ in self.requests if verb == method]

    def fault_for(self, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.match in path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def heads(self) -> bytes:
        if self.frozen_heads is not None:
            return self.frozen_heads
        rows = [
            {
                "name": one.name,
                "id": one.list_id,
                "publisher": one.domain,
                "role_version": one.role_version,
                "version": one.version,
                "published_at": "2026-11-22T12:00:00Z",
            }
            for one in self.publishers
        ]
        roots = {} if not self.named_roots else {"publishers": [self.root_named(one) for one in self.publishers]}
        return json.dumps({"lists": rows, **roots}).encode()

    def root_named(self, one: Aurora) -> dict[str, Any]:
        newest = max(int(name.partition(".")[0]) for name in one.metadata if name.endswith(".root.json"))
        version = newest if self.claimed_root is None else self.claimed_root
        return {"domain": one.domain, "root_version": version, "root_fingerprint": one.fingerprint}

    def publisher(self, domain: str) -> Aurora:
        found = next((one for one in self.publishers if one.domain == domain), None)
        if found is None:
            raise NotEntitled
        return found

    def descriptor(self) -> dict[str, Any]:
        return {"name": "North", "url": self.url, **self.logs.described()}

    def publisher_record(self, one: Aurora) -> dict[str, Any]:
        root = base64.b64encode(one.metadata["1.root.json"]).decode()
        return {"domain": one.domain, "name": one.domain, "fingerprint": one.fingerprint, "root": root}


@contextmanager
def running(north: North) -> Iterator[North]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(north))
    server.daemon_threads = True
    north.port = server.server_address[1]
    north.logs.hub = north.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield north
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(north: North) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a server is many small answers
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are sent apart, and the body would wait for the head's receipt

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + north.clock_ahead)

        def log_message(self, *args: object) -> None: ...

        def do_GET(self) -> None:
            self.exchange()

        def do_POST(self) -> None:
            self.exchange()

        def exchange(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            north.requests.append((self.command, self.path, dict(self.headers.items())))
            if (raw := north.instead(self.path)) is not None:
                self.close_connection = True
                with suppress(OSError):
                    for block in raw:
                        self.wfile.write(block)
                return
            fault = north.fault_for(self.path)
            if fault and fault.status:
                self.answer(fault.status, fault.body or b"", fault.headers)
                return
            try:
                status, content, headers = self.route(body)
            except HashshareError as error:
                document = {"type": f"{north.url}/problems/{error.slug}", "title": error.title, "detail": error.message}
                problem = {"Content-Type": "application/problem+json"}
                self.answer(error.status, json.dumps({**document, "status": error.status}).encode(), problem)
                return
            if fault and fault.body is not None:
                content = fault.body
            self.answer(status, content, headers, fault=fault)

        def answer(self, status: int, content: bytes, headers: dict[str, str], *, fault: Fault | None = None) -> None:
            span = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if status == 200 and span and "/targets/" in self.path:
                start, total = int(span[1]), len(content)
                if start >= total:
                    status, content = 416, b""
                else:
                    status, content = 206, content[start:]
                    headers = {**headers, "Content-Range": f"bytes {start}-{total - 1}/{total}"}
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            sent = content if fault is None or fault.cut is None else content[: fault.cut]
            step = max(1, len(sent) // 20) if fault and fault.delay else len(sent) or 1
            for start in range(0, len(sent), step):
                if fault and fault.delay:
                    time.sleep(fault.delay)
                try:
                    self.wfile.write(sent[start : start + step])
                except OSError:
                    break
            if len(sent) < len(content):
                self.close_connection = True

        # --- who is it ---

        def signer(self, body: bytes, *, key: bytes | None = None) -> str:
            url = north.url + self.path
            request = SignableRequest(self.command, url, dict(self.headers.items()))
            resolve = (lambda _: key) if key else north.keys.get
            signed = verify_request(request, resolve=resolve, now=datetime.now(UTC))
            check_body(signed, hashlib.sha256(body).digest())
            if signed.nonce in north.nonces:
                raise ReplayedRequest
            north.nonces.add(signed.nonce)
            if key is None and (signed.keyid in north.revoked or north.keyring.is_over(signed.keyid)):
                raise NotAuthenticated
            return signed.keyid

        def known(self, body: bytes) -> None:
            kind, _, token = self.headers.get("Authorization", "").partition(" ")
            if kind == "Bearer":
                if token not in north.tokens:
                    raise NotAuthenticated
                return
            self.signer(body)

        # --- what is asked ---

        def route(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
            path = self.path.partition("?")[0].removeprefix("/api/v1/")
            if self.command == "POST" and path == "enrolments":
                return self.enrol(body)
            if self.command == "POST" and path == "tokens":
                token = f"{self.signer(body)}-{len(north.tokens)}"
                north.tokens.add(token)
                return 201, json.dumps({"token": token, "expires_in": 600}).encode(), {}
            if path == "acknowledgements":
                return self.json(*north.logs.take(self.path, body, north.keys[self.signer(body)], north.publishers))
            if self.command == "POST" and path.startswith("keys"):
                return self.json(*north.keyring.change(path, body, north.keys, self.signer(body), hub=north.url))
            if (shown := north.logs.public(self.path)) is not None:
                return self.json(shown) if isinstance(shown, dict) else (200, shown.encode(), {})
            self.known(body)
            if (said := north.logs.answer(self.path)) is not None:
                return self.json(said) if isinstance(said, dict) else (200, said.encode(), {})
            return self.known_route(path, body)

        def known_route(self, path: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
            if path == "heads":
                return self.heads()
            if path in north.more:
                return self.json(north.more[path]())
            if path == "/.well-known/hashshare":
                return self.json(north.descriptor())
            if path == "keys":
                return self.json({"keys": north.keyring.rows(north.keys, north.revoked)})
            if path == "lists":
                return self.json({"lists": [self.detail(one) for one in north.publishers]})
            if path == "status":
                return self.json({"organisation": ORGANISATION, "clock_skew_seconds": 0, "subscriptions": []})
            if found := re.fullmatch(r"publishers/([^/]+)", path):
                return self.json(north.publisher_record(north.publisher(found[1])))
            if found := re.fullmatch(r"tuf/([^/]+)/(metadata|targets)/(.+)", path):
                one = north.publisher(found[1])
                content = (one.metadata if found[2] == "metadata" else one.objects).get(found[3])
                if content is None:
                    raise NotEntitled
                if found[3].endswith(".manifest.json"):
                    north.logs.deliver(one, content)
                return 200, content, {}
            if found := re.fullmatch(r"lists/([^/]+/[^/]+)(/subscriptions)?", path):
                return self.list(found[1], body, subscribing=bool(found[2]))
            raise NotEntitled

        def json(self, document: object, status: int = 200) -> tuple[int, bytes, dict[str, str]]:
            return status, json.dumps(document).encode(), {"Content-Type": "application/json"}

        def enrol(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
            asked = json.loads(body)
            raw = base64.b64decode(asked["public_key"])
            keyid = self.signer(body, key=raw)
            if keyid in north.revoked or (keyid in north.keys and asked["code"] != CODE):
                raise Conflict("That key is already registered.")
            if asked["code"] != CODE and not north.keyring.takes(asked["code"]):
                raise InvitationInvalid
            north.keys[keys.fingerprint(raw)] = raw
            publishers = [north.publisher_record(one) for one in north.publishers]
            hub = north.descriptor()
            answer = {"organisation": ORGANISATION, "key": {"id": keyid}, "hub": hub, "publishers": publishers}
            return self.json(answer, 201)

        def heads(self) -> tuple[int, bytes, dict[str, str]]:
            content = north.heads()
            etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                return 304, b"", {"ETag": etag}
            return 200, content, {"ETag": etag}

        def detail(self, one: Aurora) -> dict[str, Any]:
            digest = hashlib.sha256(north.terms.encode()).hexdigest()
            return {
                "name": one.name,
                "title": north.title,
                "algorithms": ["sha256"],
                "entries": len(one.live),
                "version": one.version,
                "terms": north.terms,
                "terms_digest": digest,
                "own": False,
                "subscription": north.subscriptions.get(one.name),
            }

        def list(self, name: str, body: bytes, *, subscribing: bool) -> tuple[int, bytes, dict[str, str]]:
            one = next((one for one in north.publishers if one.name == name), None)
            if one is None:
                raise NotEntitled
            if not subscribing:
                return self.json(self.detail(one))
            asked = json.loads(body)
            row = {"list": name, "state": "requested", "terms_digest": asked["terms_digest"], "ends_at": None}
            north.subscriptions[name] = row
            return self.json(row, 201)

    return Handler
