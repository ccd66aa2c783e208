"""Hub North in a thread: a small loopback server that judges commits with the wire package and keeps all in memory.

It knows no organisations and checks no credentials; it is there to see how a client behaves, also when the hub is slow,
rejects, or answers are lost. The real hub is met in tests/system.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from hashshare.wire import chain, errors, keys, repository
from hashshare.wire.log import (
    WIDTH,
    Checkpoint,
    entries_bundle,
    leaf_hash,
    parse_tile_path,
    root_of,
    sign_checkpoint,
)
from hashshare.wire.manifest import Manifest
from tests.client.ledger import Ledger

API = "/api/v1/"
OFFICERS = ("root", "targets", "major")


@dataclass
class Shelf:
    """One publisher's metadata and objects."""

    root: bytes | None = None
    targets: bytes | None = None
    major: bytes | None = None
    feeds: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    metadata: dict[str, bytes] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    releases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seals: int = 0


@dataclass
class North:
    """`queued` answers of "queued", then `polls` of "running" come before a job ends.

    `verdict` may raise to reject a release. `window` is what the last seven days took without a major, of how many; a
    hub of before knows none.
    """

    domain: str = "aurora.example"
    hub: str = "north.example"
    polls: int = 1
    page: int = 100
    queued: int = 0
    verdict: Callable[[Manifest], None] = lambda manifest: None
    window: tuple[int, int] | None = None
    restored: bool = False
    """Whether it was restored from a backup and waits for the publisher's word."""
    published: list[bytes] | None = None
    """The entries of its publication log; None for a hub that shows none."""
    anew: bool = False
    """Whether the operator lets the publisher begin anew, once."""
    shelf: Shelf = field(default_factory=Shelf)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    hubs: list[dict[str, Any]] = field(default_factory=list)
    """That receive the list or asked for it, as GET peers tells of them."""
    endless_pages: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    signed_entries: list[bytes] | None = None
    """What the publication log's checkpoint vouches for, where that is not what it shows."""
    cosigned: list[str] = field(default_factory=list)
    """Checkpoints of the publication log with cosignatures, newest first."""
    ledger: Ledger = field(default_factory=lambda: Ledger("aurora.example", "http://north"))
    spread: Callable[[int | None], list[dict[str, Any]]] = lambda version: []
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.private = [keys.generate(), keys.generate()]
        self.keys = [keys.tuf_key(keys.public_bytes(key)) for key in self.private]
        self.signer = keys.tuf_signer(self.private[0])

    # --- commits ---

    def submit(self, roles: dict[str, bytes], follows: int) -> dict[str, Any]:
        waiting = next((job for job in self.jobs.values() if job["state"] in ("queued", "running")), None)
        if waiting is not None and set(waiting["roles"]) == set(roles):
            if waiting["roles"] != roles:
                raise errors.Conflict("Another commit is being verified.", job=waiting["id"])
            return waiting
        shelf, last = self.shelf, list(roles)[-1]
        standing = {"root": shelf.root, "targets": shelf.targets, "major": shelf.major, **shelf.feeds}.get(last)
        anew = self.begins_anew(roles)
        current = repository.read_role(last, standing).version if standing and not (anew and last in OFFICERS) else 0
        if current != follows:
            raise errors.VersionConflict(f"{last} is at {current}.", current=current)
        trusted = repository.Trusted(shelf.root, shelf.targets, dict(shelf.feeds), shelf.major)
        if anew:
            trusted = repository.Trusted(None, None, dict(shelf.feeds))
        judge = repository.verify_resent if self.restored else repository.verify_commit
        judge(trusted, roles=roles, hub_keys=self.keys, now=datetime.now(UTC))
        for role in roles:
            if role not in OFFICERS:
                self.manifest_of(role, roles[role])
        job = {
            "id": f"job-{len(self.jobs) + 1}",
            "state": "queued",
            "roles": roles,
            "polls": self.polls,
            "queued": self.queued,
        }
        self.jobs[str(job["id"])] = job
        return job

    def begins_anew(self, roles: dict[str, bytes]) -> bool:
        """As the hub judges it (tests/services/test_beginnings.py has the rules)."""
        root = roles.get("root")
        return self.anew and root is not None and repository.read_role("root", root).version == 1

    def manifest_of(self, list_id: str, feed: bytes) -> Manifest:
        ref = repository.feed_manifest(feed, list_id=list_id)
        body = self.shelf.objects.get(ref.stored_path)
        if body is None:
            raise errors.MissingObject("The manifest was not uploaded.")
        manifest = Manifest.parse(body)
        previous = self.shelf.manifests.get(list_id)
        if previous != manifest:
            chain.step(previous, manifest)
        missing = [ref.path for ref in manifest.object_refs() if ref.stored_path not in self.shelf.objects]
        if missing:
            raise errors.MissingObject(f"{missing} were not uploaded.")
        return manifest

    def poll(self, job: dict[str, Any]) -> dict[str, Any]:
        if job["queued"]:
            job["queued"] -= 1
        elif job["state"] in ("queued", "running"):
            job["state"], job["polls"] = "running", job["polls"] - 1
            if job["polls"] < 0:
                self.finish(job)
        return job

    def finish(self, job: dict[str, Any]) -> None:
        try:
            self.accept(job["roles"])
            job["state"] = "done"
        except errors.HashshareError as error:
            problem = {"type": f"http://north.example/problems/{error.slug}", "title": error.title}
            job.update(
                state="failed", problem={**problem, "status": error.status, "detail": error.message, **error.facts}
            )

    def accept(self, roles: dict[str, bytes]) -> None:
        shelf = self.shelf
        if self.begins_anew(roles):
            kept = {name: it for name, it in shelf.metadata.items() if name.split(".")[1] not in OFFICERS}
            shelf.metadata, shelf.major, self.anew = kept, None, False
        for role, body in roles.items():
            if role not in OFFICERS:
                manifest = self.manifest_of(role, body)
                self.verdict(manifest)
                if shelf.manifests.get(role) != manifest:
                    shelf.releases.setdefault(role, []).insert(0, release_row(role, body, manifest))
                shelf.manifests[role] = manifest
                shelf.feeds[role] = body
            shelf.metadata[repository.read_role(role, body).name] = body
        shelf.root = roles.get("root", shelf.root)
        shelf.targets = roles.get("targets", shelf.targets)
        shelf.major = roles.get("major", shelf.major)
        self.seal()

    def seal(self) -> None:
        shelf, now = self.shelf, datetime.now(UTC)
        shelf.seals += 1
        assert shelf.targets is not None
        snapshot = repository.sign_snapshot(
            targets=shelf.targets,
            feeds=shelf.feeds,
            major=shelf.major,
            version=shelf.seals,
            signer=self.signer,
            now=now,
        )
        timestamp = repository.sign_timestamp(snapshot=snapshot, version=shelf.seals, signer=self.signer, now=now)
        shelf.metadata[f"{shelf.seals}.snapshot.json"] = snapshot
        shelf.metadata["timestamp.json"] = timestamp

    # --- answers ---

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        self.query = dict(parse_qsl(query))
        if path == "/.well-known/hashshare":
            return 200, self.described()
        if path.startswith("/log/publication/"):
            return 200, self.publication(path.removeprefix("/log/publication/"))
        parts = path.removeprefix(API).split("/")
        handler = getattr(self, f"{method.lower()}_{parts[0].replace('-', '_')}", None)
        if handler is None:
            raise errors.NotEntitled
        answered: tuple[int, Any] = handler(parts[1:], headers, body)
        return answered

    def described(self) -> dict[str, Any]:
        described = [{"keyid": key.keyid, **key.to_dict()} for key in self.keys]
        named = {"name": "North", "url": "http://north", "version": "0", "log_key": self.ledger.log_key}
        return {**named, "hub": self.hub, "keys": described}

    def post_enrolments(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        """Any code will do, of any key."""
        raw = base64.b64decode(json.loads(body)["public_key"])
        publishers = [self.get_publishers([self.domain], headers, b"")[1]] if self.shelf.root else []
        organisation = {"slug": "aurora-example", "name": "Aurora", "kind": "hotline", "country": "NL"}
        key = {"id": keys.fingerprint(raw)}
        return 201, {"organisation": organisation, "key": key, "hub": self.described(), "publishers": publishers}

    def publication(self, path: str) -> bytes | dict[str, Any]:
        """What anybody may read of the publication log."""
        if self.published is None:
            raise errors.NotFound
        if path == "cosigned":
            return {"checkpoints": self.cosigned}
        if path == "checkpoint":
            root = root_of(leaf_hash(entry) for entry in self.signed_entries or self.published)
            named = Checkpoint("north/log/publication", len(self.published), root)
            return sign_checkpoint(named, key=self.ledger.key).encode()
        place = parse_tile_path(path)
        return entries_bundle(self.published[place.index * WIDTH : place.index * WIDTH + place.width])

    def post_tokens(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        return 201, {"token": "t", "expires_in": 600, "expires_at": ""}

    def get_log(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        numbers = {name: int(text) for name, text in self.query.items()}
        if parts[1] == "checkpoint":
            return 200, self.ledger.note().encode()
        if parts[1] == "consistency":
            return 200, {"consistency": self.ledger.consistency(**numbers)}
        return 200, self.ledger.audit(**numbers)

    def get_publishers(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        if parts == [self.domain, "resumption"]:
            return 200, self.resumption()
        if parts != [self.domain]:
            raise errors.NotEntitled
        root = self.shelf.metadata.get("1.root.json", b"")
        fingerprint = hashlib.sha256(root).hexdigest() if root else ""
        return 200, {
            "domain": self.domain,
            "name": "Aurora",
            "fingerprint": fingerprint,
            "root": base64.b64encode(root).decode(),
            "anew_until": "2999-12-31T00:00:00Z" if self.anew else None,
        }

    def resumption(self) -> dict[str, Any]:
        shelf = self.shelf
        standing = {"root": shelf.root, "targets": shelf.targets, "major": shelf.major, **shelf.feeds}
        roles = {role: repository.read_role(role, body).version for role, body in standing.items() if body}
        return {"awaited": self.restored, "roles": roles}

    def post_publishers(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        if json.loads(body)["roles"] != self.resumption()["roles"]:
            raise errors.VersionConflict("The hub lacks something.")
        self.restored = False
        self.shelf.seals += 1_000
        self.seal()
        return 200, self.resumption()

    def get_heads(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        rows = []
        for entry in self.lists.values():
            feed = self.shelf.feeds.get(entry["id"])
            if feed is not None:
                role = repository.read_role(entry["id"], feed).version
                version = self.shelf.manifests[entry["id"]].version
                name = f"{self.domain}/{entry['slug']}"
                row = {"name": name, "id": entry["id"], "publisher": self.domain}
                rows.append({**row, "role_version": role, "version": version, "published_at": ""})
        return 200, {"lists": rows}

    def get_jobs(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        return 200, self.shown(self.poll(self.jobs[parts[0]]))

    def shown(self, job: dict[str, Any]) -> dict[str, Any]:
        progress = {"done": 1, "total": 2, "message": "verifying"}
        named = {"id": job["id"], "kind": "verify_release", "state": job["state"], "progress": progress}
        who = {"task_id": "task-1", "worker": "worker@north", "attempts": 1, "result": None}
        return {**named, **who, "problem": job.get("problem")}

    def post_lists(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        if parts:
            return self.decide(parts, json.loads(body))
        asked = json.loads(body)
        if asked["slug"] in self.lists and self.lists[asked["slug"]]["id"] != asked["id"]:
            raise errors.Conflict("A list of that name or id exists already.")
        self.lists[asked["slug"]] = asked
        return 201, asked

    def put_lists(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        hub = next((it for it in self.hubs if parts[2:] == ["peers", it["hub"], "terms"]), None)
        if hub is None:
            raise errors.NotFound("That hub never asked.")
        hub |= json.loads(body)
        return 200, json.loads(body)

    def decide(self, parts: list[str], asked: dict[str, Any]) -> tuple[int, Any]:
        row = self.subscriptions.get(parts[3])
        if parts[2] == "peers":
            asked_there = [row for hub in self.hubs if hub["hub"] == parts[3] for row in hub["requests"]]
            row = next((it for it in asked_there if it["organisation"] == parts[5]), None)
        if row is None:
            raise errors.NotFound("That organisation never asked.")
        row["state"] = {"grant": "active", "deny": "denied", "revoke": "revoked"}[asked["decision"]]
        row["ends_at"] = asked.get("until")
        row["reason"] = asked.get("reason", "")
        return 200, row

    def get_lists(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        if not parts:
            rows = [{"name": f"{self.domain}/{slug}", "own": True, **row} for slug, row in self.lists.items()]
            return 200, {"lists": rows}
        if len(parts) < 2 or parts[1] not in self.lists:
            raise errors.NotEntitled
        if parts[2:] == ["subscriptions"]:
            return 200, {"subscriptions": list(self.subscriptions.values())}
        if parts[2:] == ["peers"]:
            # A line to a page, so that whoever wants all has to follow.
            lines = [hub | {"requests": [it]} for hub in self.hubs for it in hub["requests"]]
            at = int(self.query.get("after") or 0)
            following = self.endless_pages or at + 1 < len(lines)
            return 200, {"peers": lines[at : at + 1], "next": str(at + 1) if following else ""}
        if parts[2:] == ["propagation"]:
            asked = self.query.get("version")
            seen = {"list": "/".join(parts[:2]), "as_of": "2026-11-22T12:00:00Z", "deadline_hours": 24}
            return 200, {**seen, "withdrawals": self.spread(int(asked) if asked else None)}
        if parts[2:] == ["releases"]:
            window = {"lost": self.window[0], "held": self.window[1]} if self.window else None
            rows = self.shelf.releases.get(self.lists[parts[1]]["id"], [])
            before = int(self.query.get("before", 2**53))
            shown = [row for row in rows if row["version"] < before][: self.page]
            return 200, {"releases": shown, "window": window}
        return 200, self.lists[parts[1]]

    def get_tuf(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        kept = self.shelf.metadata if parts[1] == "metadata" else self.shelf.objects
        found = kept.get("/".join(parts[2:]))
        if found is None:
            raise errors.NotFound
        return 200, found

    def put_tuf(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        path = "/".join(parts[2:])
        if hashlib.sha256(body).hexdigest() != parts[3].partition(".")[0]:
            raise errors.WrongDigest
        if path in self.shelf.objects:
            raise errors.AlreadyThere
        self.shelf.objects[path] = body
        return 201, {}

    def post_tuf(self, parts: list[str], headers: Any, body: bytes) -> tuple[int, Any]:
        roles = {role: base64.b64decode(text) for role, text in json.loads(body)["roles"].items()}
        ordered = {
            role: roles[role]
            for role in sorted(roles, key=lambda role: {"root": 0, "targets": 1, "major": 2}.get(role, 3))
        }
        return 202, {"job": self.shown(self.submit(ordered, int(headers["If-Match"].strip('"'))))}


def release_row(list_id: str, feed: bytes, manifest: Manifest) -> dict[str, Any]:
    """As the hub tells of a published release."""
    last = manifest.segments[-1] if manifest.segments else None
    return {
        "version": manifest.version,
        "role_version": repository.read_role(list_id, feed).version,
        "state": "published",
        "manifest_digest": repository.feed_manifest(feed, list_id=list_id).sha256,
        "entries": manifest.entries,
        "upserts": last.upserts if last else manifest.entries,
        "withdrawals": last.withdrawals if last else 0,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are sent apart, and the body would wait 40 ms for the head's receipt
    north: North

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.north.lock:
            self.north.asked.append((self.command, self.path.partition("?")[0]))
            try:
                status, answer = self.north.answer(self.command, self.path, self.headers, body)
                kind = "application/json"
            except errors.HashshareError as error:
                status, kind = error.status, "application/problem+json"
                problem = {"type": f"http://north.example/problems/{error.slug}", "title": error.title}
                answer = {**problem, "status": status, "detail": error.message, **error.facts}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""


@contextmanager
def serving(north: North) -> Iterator[str]:
    """The address at which `north` answers inside the block."""
    handler = type("Handler", (_Handler,), {"north": north})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
