"""Who is attacked: hotline Aurora with two lists at hub North, member Cobalt, and Mallory between them.

Everything is a real process on loopback. Cobalt's home is copied for each test, so that every attack meets a member who
holds version 1 of Aurora's list, has pinned her root, and may fetch version 2.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import Key

from hashshare.client.home import Home
from hashshare.wire import keys
from hashshare.wire.manifest import Manifest, Segment
from hashshare.wire.objects import ObjectRef, delta_path, manifest_path
from hashshare.wire.repository import read_role, sign_release, sign_snapshot, sign_timestamp
from hashshare.wire.repository.shapes import feed_manifest
from hashshare.wire.signatures import sign_request
from tests.attacks.between import Between
from tests.system.hub import RunningHub, wait_for
from tests.system.machines import Machine, enrolled, random_csv

DOMAIN: Final = "aurora.example"
LIST: Final = f"{DOMAIN}/images"
OTHER: Final = f"{DOMAIN}/video"
FIRST_ROWS: Final = 400


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a command of the attacked ended: exit code, and its document."""

    code: int
    document: Any

    @property
    def error(self) -> dict[str, Any]:
        """Of the command, or of its only list."""
        own: dict[str, Any] | None = self.document.get("error")
        return own or cast("dict[str, Any]", self.document["lists"][0]["error"])


@dataclass(frozen=True, slots=True)
class Victim:
    """A member's machine and what may become of it. `list_id` is the attacked list's."""

    machine: Machine
    list_id: str

    def sync(self, *words: str, seconds: float = 60) -> Attempt:
        return self.attempt("sync", LIST, *words, seconds=seconds)

    def attempt(self, *words: str, seconds: float = 60) -> Attempt:
        process = self.machine.start(*words, "--json")
        output, errors = process.communicate(timeout=seconds)
        assert output, errors
        assert "Traceback" not in errors
        return Attempt(process.returncode, json.loads(output))

    def held(self) -> dict[str, Any]:
        """What current.json says of the attacked list."""
        path = self.machine.home / "lists" / self.list_id / "current.json"
        return cast("dict[str, Any]", json.loads(path.read_text()))

    def finds(self, key: str) -> bool:
        """Whether a lookup of that hash still matches the attacked list."""
        [looked] = self.attempt("lookup", key).document["hashes"]
        return bool(looked["matches"])

    def disk(self) -> int:
        """Bytes of all that the client keeps."""
        return sum(path.stat().st_size for path in self.machine.home.rglob("*") if path.is_file())

    def refused(self, kind: str | tuple[str, ...], *words: str, code: int = 4) -> dict[str, Any]:
        """A sync is refused by that name; what was held is held, whole, and still matches."""
        before = self.held()
        done = self.sync(*words)
        kinds = (kind,) if isinstance(kind, str) else kind
        assert (done.code, done.error["type"] in kinds) == (code, True), done
        assert self.held() == before
        verified = self.attempt("verify", LIST)
        assert (verified.code in (0, 7), verified.document["ok"]) == (True, True), (
            verified
        )  # 7: it alarms, as it should
        return done.error

    def recovers(self, version: int = 2) -> None:
        """Once nobody lies any more, the next sync is as if nothing had been."""
        done = self.sync()
        assert (done.code, self.held()["version"]) == (0, version), done


@dataclass(frozen=True, slots=True)
class Scene:
    """`cobalt_home` is the member as it was before anybody lied to it; `access_key` is Cobalt's."""

    hub: RunningHub
    between: Between
    aurora: Machine
    cobalt_home: Path
    access_key: str
    list_id: str
    other_id: str
    keys_before: tuple[str, ...]

    def cobalt(self, folder: Path) -> Victim:
        home = folder / "cobalt"
        shutil.copytree(self.cobalt_home, home)
        return Victim(Machine(home, {"HASHSHARE_PATIENCE": "2"}), self.list_id)

    # --- what a thief or a hostile hub has ---

    @property
    def online_key(self) -> Ed25519PrivateKey:
        """The hub's own, that signs snapshots and timestamps."""
        return keys.load(self.hub.data / "keys" / "online.pem")

    @property
    def hub_keys(self) -> list[Key]:
        """The two that a root names for the hub's part."""
        root = read_role("root", self.newest("root")).signed
        return [root.keys[keyid] for keyid in root.roles["timestamp"].keyids]

    def officer_key(self, role: str) -> Ed25519PrivateKey:
        return keys.load(self.aurora.home / "publisher" / DOMAIN / "keys" / f"{role}.pem")

    def fetch(self, path: str) -> bytes:
        """What the hub itself serves below tuf/aurora.example/."""
        answer = requests.get(
            f"{self.hub.url}/api/v1/tuf/{DOMAIN}/{path}",
            headers={"Authorization": f"Bearer {self.access_key}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.content

    def newest(self, role: str) -> bytes:
        """The served metadata of a role, found as a client does: from the timestamp on."""
        timestamp = self.fetch("metadata/timestamp.json")
        if role == "timestamp":
            return timestamp
        if role == "root":
            return self.fetch("metadata/1.root.json")
        version = read_role("timestamp", timestamp).signed.snapshot_meta.version
        snapshot = self.fetch(f"metadata/{version}.snapshot.json")
        if role == "snapshot":
            return snapshot
        named = read_role("snapshot", snapshot).signed.meta[f"{role}.json"].version
        return self.fetch(f"metadata/{named}.{role}.json")

    # --- what goes to the hub in somebody's name ---

    def signed(
        self, method: str, path: str, body: bytes = b"", *, machine: Machine | None = None, **headers: str
    ) -> requests.Response:
        """The hub's answer to a request signed with an organisation's key, Aurora's unless said otherwise."""
        home = Home.open((machine or self.aurora).home)
        own = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        url = path if path.startswith("http") else f"{self.url}/api/v1/{path}"
        prepared = requests.Request(method, url, headers=own, data=body or None).prepare()
        key = keys.load(home.key_path)
        sign_request(prepared, key=key, keyid=keys.fingerprint_of(key), now=datetime.now(UTC))
        with requests.Session() as session:
            return session.send(prepared, timeout=60, allow_redirects=False)

    def commit(
        self, roles: dict[str, bytes], *, follows: int, domain: str = DOMAIN, machine: Machine | None = None
    ) -> tuple[int, str]:
        """Status and problem type ("" if none) of a commit in a hotline's name, a worker's verdict included."""
        document = {"roles": {role: base64.b64encode(body).decode() for role, body in roles.items()}}
        path, body = f"tuf/{domain}/commits", json.dumps(document).encode()
        answer = self.signed("POST", path, body, machine=machine, If_Match=f'"{follows}"')
        if answer.status_code != 202:
            return answer.status_code, slug(answer.json())
        job = answer.json()["job"]["id"]
        ended = wait_for("the worker's verdict", lambda: self._ended(job, machine))
        return 202, slug(ended["problem"] or {})

    def _ended(self, job: str, machine: Machine | None) -> dict[str, Any] | None:
        found = self.signed("GET", f"jobs/{job}", machine=machine).json()
        return cast("dict[str, Any]", found) if found["state"] in ("done", "failed") else None

    @property
    def url(self) -> str:
        """Where the world believes the hub to be."""
        return f"http://127.0.0.1:{self.between.port}"

    def manifest(self, list_id: str) -> bytes:
        """As the feed of the list signs it now."""
        return self.fetch(f"targets/{feed_manifest(self.newest(list_id), list_id=list_id).stored_path}")

    def publish_forged(self, delta: bytes, *, rows: int) -> tuple[int, str]:
        """What becomes of a release whose new segment is these bytes, said to be `rows` upserts, signed by the feed."""
        now = datetime.now(UTC).replace(microsecond=0)
        last = Manifest.parse(self.manifest(self.list_id))
        version = last.version + 1
        delta_ref = ObjectRef.of(delta_path(self.list_id, from_version=last.version, to_version=version), delta)
        segment = Segment(last.version, version, rows, 0, delta_ref)
        body = replace(
            last,
            version=version,
            entries=last.entries + rows,
            segments=(*last.segments, segment),
            published_at=now,
        ).to_bytes()
        refs = {delta_ref: delta, ObjectRef.of(manifest_path(self.list_id), body): body}
        for ref, content in refs.items():
            path = f"tuf/{DOMAIN}/targets/{ref.stored_path}"
            answer = self.signed("PUT", path, content, Content_Type="application/octet-stream")
            assert answer.status_code == 201, answer.text
        role = read_role(self.list_id, self.newest(self.list_id)).version
        feed = sign_release(
            list_id=self.list_id,
            manifest=body,
            version=role + 1,
            signers=[keys.tuf_signer(self.officer_key("feed"))],
            now=now,
        )
        return self.commit({self.list_id: feed}, follows=role)

    def feeds(self) -> dict[str, bytes]:
        """Each list's accepted feed metadata, by list id."""
        return {one: self.newest(one) for one in (self.list_id, self.other_id)}

    def lie_with(
        self,
        *,
        feeds: dict[str, bytes] | None = None,
        targets: bytes | None = None,
        life: timedelta = timedelta(days=1),
        raise_by: int = 1,
        key: Ed25519PrivateKey | None = None,
    ) -> None:
        """Serve a new snapshot and timestamp over these, signed with the hub's own key unless `key` is given."""
        now, signer = datetime.now(UTC), keys.tuf_signer(key or self.online_key)
        feeds = self.feeds() if feeds is None else feeds
        targets = targets or self.newest("targets")
        above = read_role("snapshot", self.newest("snapshot")).version + raise_by
        snapshot = sign_snapshot(targets=targets, feeds=feeds, version=above, signer=signer, now=now)
        newer = read_role("timestamp", self.newest("timestamp")).version + raise_by
        timestamp = sign_timestamp(snapshot=snapshot, version=newer, signer=signer, now=now, life=life)
        for role, body in {"targets": targets, "snapshot": snapshot, **feeds}.items():
            self.between.serve(rf"/metadata/{read_role(role, body).version}\.{role}\.json$", body=body)
        self.between.serve(r"/metadata/timestamp\.json$", body=timestamp)

    def serve_object(self, list_id: str, name: str, body: bytes) -> str:
        """Serve these bytes as an object of the list; their digest."""
        digest = hashlib.sha256(body).hexdigest()
        self.between.serve(rf"/targets/{list_id}/{digest}\.{name}$", body=body)
        return digest


def slug(problem: dict[str, Any]) -> str:
    """The last word of a problem's type."""
    return str(problem.get("type", "")).rpartition("/")[2]


def build(hub: RunningHub, between: Between, folder: Path) -> Scene:
    """Aurora publishes version 1, Cobalt syncs it, Aurora publishes version 2."""
    url = f"http://127.0.0.1:{between.port}"
    aurora = enrolled(hub, folder / "aurora", kind="hotline", name="Aurora", domain=DOMAIN, url=url)
    fingerprint = aurora.run("publisher", "init", DOMAIN, "--no-passphrase")["fingerprint"]
    list_id, other_id = (_make_list(aurora, name) for name in (LIST, OTHER))
    first = random_csv(folder / "first.csv", FIRST_ROWS)
    aurora.run("publish", LIST, first)
    aurora.run("publish", OTHER, random_csv(folder / "other.csv", 30))
    cobalt = enrolled(hub, folder / "cobalt", kind="member", name="Cobalt", url=url)
    for name in (LIST, OTHER):
        cobalt.run("subscribe", name, "--accept-terms", "--root", fingerprint)
        [row] = aurora.run("requests", name)["subscriptions"]
        aurora.run("grant", name, row["organisation"]["slug"], "--until", "2999-12-31")
    key = cobalt.run("request", "POST", "access-keys", "--data", '{"name": "curl", "days": 2}')["body"]["key"]
    cobalt.run("sync", LIST)
    rows = first.read_text().splitlines()
    more = [f"{secrets.token_hex(32)},A" for _ in range(5)]
    first.write_text("\n".join([*rows, *more]) + "\n")
    aurora.run("publish", LIST, first)
    held = tuple(row.partition(",")[0] for row in rows[1:])
    return Scene(hub, between, aurora, cobalt.home, key, list_id, other_id, held)


def _make_list(machine: Machine, name: str) -> str:
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "A list")
    return str(machine.run("publisher", "list", "create", name, *words)["id"])
