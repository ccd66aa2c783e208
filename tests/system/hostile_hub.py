"""A hub that lies, in a process of its own: `python -m tests.system.hostile_hub FOLDER HUB`, HUB being who is lied to.

It says in a line of JSON where it is. Hub North answers there, at which hotline Aurora is at home, who is honest; and
hub West, which is honest too. What North shall do it is told at `control`, as JSON: {"do": a name of DEEDS, ...}.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import requests

from federation.documents import HubDescriptor
from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.documents import write_object
from hashshare.wire.manifest import Manifest, Redistribution
from hashshare.wire.objects import ObjectRef, manifest_path
from tests.client.members.aurora import Aurora, items
from tests.client.members.north import Fault, North, running
from tests.federation.another_hub import answer
from tests.federation.identities import Identity
from tests.federation.offering import offered
from tests.system.hostile_calls import Calls

DESCRIPTOR: Final = "/.well-known/hashshare"
ALWAYS: Final = 1_000_000


@dataclass
class Place:
    """A hub, and where it answers. `raw`: beginning of a path -> how `another_hub` answers there, and with what."""

    hub: Identity
    north: North
    raw: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def instead(self, path: str) -> Iterator[bytes] | None:
        for part, (how, said) in self.raw.items():
            if part in path:
                return answer(how, said)
        return answer("descriptor", write_object(self.hub.document())) if path == DESCRIPTOR else None


class Hostile:
    def __init__(self, folder: Path, victim: HubDescriptor, north: Place, west: Place, canary: Canary) -> None:
        self.victim, self.north, self.west, self.canary = victim, north, west, canary
        self.aurora = Aurora(folder / "aurora")
        self.aurora.redistribution = Redistribution("named", (victim.hub,))
        self.calls = {place.hub.title.lower(): Calls(place.hub, victim) for place in (north, west)}
        north.north.publishers, north.north.named_roots = [self.aurora], True
        self.truth()
        self.release(20)

    # --- the truth ---

    def truth(self) -> None:
        """Nothing but."""
        self.north.raw.clear()
        self.north.north.faults.clear()
        self.north.north.frozen_heads = None
        self._offer(self.aurora.redistribution.to_json())

    def _offer(self, policy: dict[str, Any]) -> None:
        said = partial(offered, self.aurora, self.north.hub.name, redistribution=policy)
        self.north.north.more["peers/offers"] = lambda: {"publishers": [said()]}

    def release(self, rows: int = 2) -> None:
        self.aurora.release(items(rows))

    def files(self) -> dict[str, str]:
        """Digests of what Aurora has published last, by path below tuf/aurora.example/; first what always changes."""
        one = self.aurora
        manifest = Manifest.parse(one.current)
        index = BaseIndex.parse(one.objects[manifest.base.index.stored_path])
        own = ObjectRef.of(manifest_path(one.list_id), one.current)
        names = ("timestamp.json", "1.root.json", "2.targets.json", f"{one.snapshots}.snapshot.json")
        bodies = {f"metadata/{name}": one.metadata[name] for name in (*names, f"{one.role_version}.{one.list_id}.json")}
        for ref in (own, *manifest.object_refs(), *index.object_refs()):
            bodies[f"targets/{ref.stored_path}"] = one.objects[ref.stored_path]
        return {path: sha256(body).hexdigest() for path, body in bodies.items()}

    def seen(self, path: str = "", at: str = "north") -> int:
        """Requests so far with that in their path."""
        return sum(path in each for each in {"north": self.north, "west": self.west}[at].north.paths())

    def knocks(self) -> int:
        """Connections to the address to which nobody has any business to connect."""
        return self.canary.knocks

    def root(self) -> str:
        """Of Aurora, as her officers read it out."""
        return self.aurora.fingerprint

    def peer_key(self, who: str) -> str:
        hub = {"north": self.north, "west": self.west}[who].hub
        return keys.public_bytes(hub.key).hex()

    # --- lies ---

    def _serve(self, match: str, body: bytes) -> None:
        self.north.north.faults.append(Fault(match, body=body, times=ALWAYS))

    def _newest(self, kind: str) -> tuple[str, bytes]:
        """Path and bytes of the manifest, or of the segment that came last."""
        manifest = ObjectRef.of(manifest_path(self.aurora.list_id), self.aurora.current)
        ref = manifest if kind == "manifest" else self.aurora.segments[-1].object
        return ref.stored_path, self.aurora.objects[ref.stored_path]

    def tamper(self) -> None:
        """One bit of the newest segment."""
        path, body = self._newest("segment")
        self._serve(path, body[:-1] + bytes([body[-1] ^ 1]))

    def widen_signed(self) -> None:
        """The manifest, which lets one hub have the list, says that every hub may."""
        path, body = self._newest("manifest")
        manifest = json.loads(body)
        manifest["redistribution"] = {"policy": "federation"}
        self._serve(path, json.dumps(manifest).encode())

    def widen_offered(self) -> None:
        self._offer({"policy": "federation"})

    def sign_as_a_stranger(self) -> None:
        made = repository.sign_timestamp(
            snapshot=self.aurora.snapshot,
            version=self.aurora.timestamps + 1,
            signer=keys.tuf_signer(keys.generate()),
            now=datetime.now(UTC),
        )
        self._serve("timestamp.json", made)

    def keep(self) -> None:
        """What is newest now, to be served as `older` later."""
        self.kept = self.aurora.metadata["timestamp.json"]

    def older(self) -> None:
        self._serve("timestamp.json", self.kept)

    def claim(self, version: int) -> None:
        """Heads with more than there is."""
        heads = json.loads(self.north.north.heads())
        heads["lists"][0] |= {"version": version, "role_version": version}
        self.north.north.frozen_heads = json.dumps(heads).encode()

    def another_root(self) -> None:
        """The repository of somebody else under Aurora's name, told of by the heads as it is."""
        other = Aurora(self.aurora.folder / "other")
        for name in ("1.root.json", "2.targets.json", "1.snapshot.json", "timestamp.json"):
            self._serve(f"metadata/{name}", other.metadata[name])
        heads = json.loads(self.north.north.heads())
        heads["publishers"][0]["root_fingerprint"] = other.fingerprint
        self.north.north.frozen_heads = json.dumps(heads).encode()

    def say(self, path: str, how: str, what: str = "") -> None:
        """At such a path, as `tests.federation.another_hub` does."""
        self.north.raw[path] = (how, what.encode())

    def impersonate(self, name: str = "", key: str = "west") -> None:
        """Say that it is the hub of that name, and show another's peer key."""
        whose = self.north.hub if key == "north" else self.west.hub
        shown = whose.document()["peer_key"]
        own = self.north.hub.document(peer_key=shown)
        self.say(DESCRIPTOR, "descriptor", json.dumps(own | ({"hub": name, "url": f"http://{name}"} if name else {})))

    # --- calls ---

    def call(self, who: str, what: str, **arguments: Any) -> list[Any]:
        """Status and name of the refusal, as `hostile_calls` has it."""
        return list(getattr(self.calls[who], what)(**arguments))


class Canary:
    """An address on this machine that counts who connects to it."""

    def __init__(self) -> None:
        self.knocks = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self.knocks += 1
            connection.close()


DEEDS: Final = (
    Hostile.truth, Hostile.release, Hostile.files, Hostile.seen, Hostile.knocks, Hostile.root, Hostile.peer_key,
    Hostile.tamper, Hostile.widen_signed, Hostile.widen_offered, Hostile.sign_as_a_stranger, Hostile.keep,
    Hostile.older, Hostile.claim, Hostile.another_root, Hostile.say, Hostile.impersonate, Hostile.call,
)  # fmt: skip


def controlled(hostile: Hostile) -> ThreadingHTTPServer:
    deeds: dict[str, Callable[..., Any]] = {each.__name__: partial(each, hostile) for each in DEEDS}

    lock = threading.Lock()

    class Control(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                said = json.dumps(deeds[asked.pop("do")](**asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None: ...

    return ThreadingHTTPServer(("127.0.0.1", 0), Control)


def place(title: str, victim: HubDescriptor, stack: ExitStack) -> Place:
    north = stack.enter_context(running(North()))
    north.logs.key = keys.generate()
    north.keys[keys.fingerprint(victim.peer_key)] = victim.peer_key
    north.more["status"] = lambda: {"organisation": {"slug": "cobalt", "name": victim.hub, "kind": "hub"}}
    north.more["peers/offers"] = lambda: {"publishers": []}
    made = Place(Identity(f"127.0.0.1:{north.port}", "SE", title, north.url), north)
    north.instead = made.instead
    return made


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    victim = HubDescriptor.parse(requests.get(url + DESCRIPTOR, timeout=30).content)
    with ExitStack() as stack:
        north, west, canary = place("North", victim, stack), place("West", victim, stack), Canary()
        server = controlled(Hostile(folder, victim, north, west, canary))
        told = {title: [at.hub.name, at.hub.descriptor.fingerprint] for title, at in (("north", north), ("west", west))}
        print(json.dumps({**told, "canary": canary.port, "control": server.server_port}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
