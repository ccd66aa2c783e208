"""The delivery log of one publisher at hub North, in memory: what a hub must answer, and every lie it might tell."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import Conflict, MalformedAcknowledgement, UnknownRelease
from hashshare.wire.log import (
    Acknowledgement,
    AcknowledgementRow,
    Checkpoint,
    DeliveryRow,
    ErasureRow,
    Frontier,
    Opening,
    PaddingRow,
    Receipt,
    RelayedRow,
    Tree,
    entry_of,
    new_opening,
    sign_checkpoint,
    verify_acknowledgement,
)


@dataclass
class Leaf:
    """`organisation` may read it, and the publisher. `erased`: the hub has forgotten the opening."""

    opening: Opening
    entry: bytes
    kind: str
    organisation: str = ""
    list_name: str = ""
    statement: str = ""
    public_key: bytes = b""
    erased: bool = False


@dataclass
class Ledger:
    """Leaves are sealed by `seal()`. `bend` may change any answer before it is given: (what was asked, answer)."""

    domain: str
    hub: str = ""
    key: Ed25519PrivateKey = field(default_factory=keys.generate)
    leaves: list[Leaf] = field(default_factory=list)
    size: int = 0
    newest: dict[tuple[str, str], Acknowledgement] = field(default_factory=dict)
    bend: Callable[[str, Any], Any] = lambda asked, answer: answer

    @property
    def origin(self) -> str:
        return f"{self.hub.partition('://')[2]}/log/{self.domain}"

    @property
    def log_key(self) -> str:
        return base64.b64encode(keys.public_bytes(self.key)).decode()

    # --- writing ---

    def add(self, row: Any, **about: Any) -> Leaf:
        opening = new_opening(row.to_row())
        leaf = Leaf(opening, entry_of(opening), row.kind, **about)
        self.leaves.append(leaf)
        return leaf

    def deliver(
        self, organisation: str, name: str, list_id: str, version: int, digest: str, *, at: datetime | None = None
    ) -> Leaf:
        row = DeliveryRow(organisation, name, list_id, version, None, digest, 1_000, at or datetime.now(UTC), "key")
        return self.add(row, organisation=organisation, list_name=name)

    def acknowledge(self, body: bytes, public: bytes, *, organisation: str, published: dict[int, str]) -> bool:
        """Whether it is new. `published`: the manifests' digests by version. Raises as the real hub does."""
        stated, key = verify_acknowledgement(body, public_keys=[public])
        if stated.organisation != organisation or stated.hub != self.hub:
            raise MalformedAcknowledgement("It is not about the one who sends it.")
        if published.get(stated.version) != stated.manifest_sha256:
            raise UnknownRelease
        last = self.newest.get((organisation, stated.list_id))
        same = ("version", "purged", "manifest_sha256")
        if last is not None and all(getattr(last, name) == getattr(stated, name) for name in same):
            return False
        if last is not None and stated.version < last.version:
            raise Conflict("A later version is acknowledged already.")
        self.newest[organisation, stated.list_id] = stated
        self.record(stated, body, public, key)
        return True

    def record(self, stated: Acknowledgement, body: bytes, public: bytes, key: str) -> Leaf:
        row = AcknowledgementRow(
            stated.organisation,
            stated.list_name,
            stated.list_id,
            stated.version,
            stated.purged,
            stated.manifest_sha256,
            datetime.now(UTC),
            hashlib.sha256(body).hexdigest(),
            key,
        )
        about = {"organisation": stated.organisation, "list_name": stated.list_name}
        return self.add(row, **about, statement=body.decode(), public_key=public)

    def relay(self, stated: Acknowledgement, body: bytes, public: bytes, *, hub: str, via: str = "") -> Leaf:
        """What another hub brought of its member."""
        row = RelayedRow(
            hub,
            via or hub,
            stated.organisation,
            stated.list_name,
            stated.list_id,
            stated.version,
            stated.purged,
            stated.manifest_sha256,
            datetime.now(UTC),
            hashlib.sha256(body).hexdigest(),
            keys.fingerprint(public),
        )
        return self.add(row, list_name=stated.list_name, statement=body.decode(), public_key=public)

    def pad(self, number: int) -> None:
        for _ in range(number):
            self.add(PaddingRow(len(self.leaves)))

    def erase(self, *indexes: int, until: datetime) -> None:
        for index in indexes:
            self.leaves[index].erased = True
        self.add(ErasureRow(until, len(indexes), datetime.now(UTC)))

    def seal(self) -> None:
        self.size = len(self.leaves)

    # --- the tree ---

    def tree(self, size: int) -> Tree:
        tiles: dict[tuple[int, int], bytes] = {}
        frontier = Frontier(0, lambda level, index, width: b"")
        for tile in frontier.extend(leaf.entry for leaf in self.leaves[:size]):
            tiles[tile.level, tile.index] = tile.body
        return Tree(size, lambda level, index, width: tiles[level, index])

    def note(self, size: int | None = None) -> str:
        size = self.size if size is None else size
        checkpoint = Checkpoint(self.origin, size, self.tree(size).root())
        note: str = self.bend("checkpoint", sign_checkpoint(checkpoint, key=self.key))
        return note

    def consistency(self, old: int, new: int) -> list[str]:
        hashes = self.tree(new).consistency_proof(old) if 0 < old < new <= self.size else []
        return [base64.b64encode(hashed).decode() for hashed in hashes]

    # --- answers ---

    def state(self, size: int) -> dict[str, Any]:
        """What an acknowledgement is answered with."""
        state = {"origin": self.origin, "checkpoint": self.note(), "consistency": self.consistency(size, self.size)}
        bent: dict[str, Any] = self.bend("state", state)
        return bent

    def receipts(self, organisation: str, name: str, *, after: int, limit: int) -> dict[str, Any]:
        mine = [
            (index, leaf)
            for index, leaf in enumerate(self.leaves)
            if leaf.organisation == organisation and leaf.list_name == name and not leaf.erased
        ]
        sealed = [(index, leaf) for index, leaf in mine if after < index < self.size][:limit]
        shown = sealed or [(index, leaf) for index, leaf in mine if index >= self.size][:limit]
        tree, note = self.tree(self.size), self.note()
        rows = [self._receipt(index, leaf, tree, note) for index, leaf in shown]
        bent: dict[str, Any] = self.bend("receipts", {"receipts": rows, "checkpoint": note})
        return bent

    def _receipt(self, index: int, leaf: Leaf, tree: Tree, note: str) -> dict[str, Any]:
        sealed = index < self.size
        proof = Receipt(index, tuple(tree.inclusion_proof(index)), note).to_text() if sealed else None
        return {
            "id": index + 1_000,
            "kind": leaf.kind,
            "row": leaf.opening.row,
            "nonce": base64.b64encode(leaf.opening.nonce).decode(),
            "index": index if sealed else None,
            "receipt": proof,
        }

    def audit(self, *, start: int, limit: int) -> dict[str, Any]:
        leaves = [self._opened(index) for index in range(start, min(start + limit, self.size))]
        bent: dict[str, Any] = self.bend("audit", {"leaves": leaves, "checkpoint": self.note()})
        return bent

    def _opened(self, index: int) -> dict[str, Any]:
        leaf = self.leaves[index]
        return {
            "index": index,
            "kind": "erased" if leaf.erased else leaf.kind,
            "row": None if leaf.erased else leaf.opening.row,
            "nonce": None if leaf.erased else base64.b64encode(leaf.opening.nonce).decode(),
            "erased": leaf.erased,
            "entry": base64.b64encode(leaf.entry).decode(),
            "statement": leaf.statement or None,
            "public_key": base64.b64encode(leaf.public_key).decode() if leaf.public_key else None,
        }
