"""Reading a peer's public logs as anybody may: checkpoints, tiles, entries, each held against the signed root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from federation.models import Peer
from hashshare.client.answers import decoded
from hashshare.client.session import Session
from hashshare.client.successions import read_statements
from hashshare.wire.errors import BadSignature, LogKeyChanged, MalformedLog, NotFound, WrongProof
from hashshare.wire.log.checkpoints import Checkpoint, open_checkpoint
from hashshare.wire.log.merkle import leaf_hash, verify_consistency, verify_inclusion
from hashshare.wire.log.notes import MAX_NOTE, Verifier, read_note
from hashshare.wire.log.tiles import ENTRIES, HEIGHT, WIDTH, cut, hashes_in, read_entries, tile_path, width_at
from hashshare.wire.log.trees import Tree

MAX_TILE: Final = WIDTH * (2 + 0xFFFF)


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint and the note that it stands in, its signature verified."""

    checkpoint: Checkpoint
    note: str


def opened(note: str, *, origin: str, key: bytes) -> Signed:
    """Raises MalformedLog, BadSignature, WrongProof; LogKeyChanged when another key signed it under the log's name."""
    verifier = Verifier(origin, key)
    try:
        return Signed(open_checkpoint(note, verifier, origin=origin), note)
    except BadSignature as error:
        labels = [raw[:4] for name, raw in read_note(note)[1] if name == origin]
        if labels and verifier.key_hash not in labels:
            raise LogKeyChanged(f"The log {origin} is signed by another key than the hub was accepted with.") from error
        raise


@dataclass(slots=True)
class PublicLog:
    """A peer's log by its name: `publication` or a publisher's domain. `said` is the checkpoint read last, believed or
    not.
    """

    peer: Peer
    session: Session
    name: str
    _tiles: dict[tuple[int, int, int], bytes] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    said: str = ""

    @property
    def first_origin(self) -> str:
        return f"{self.peer.name}/log/{self.name}"

    @property
    def key(self) -> bytes:
        return bytes(self.peer.log_key)

    def newest(self) -> Signed:
        """Of the log that is continued now, if it openly superseded others.

        Raises like `opened`, NetworkError, NotFound.
        """
        self.statements = self._statements()
        self._tiles.clear()
        number = len(self.statements) + 1
        below = f"{self.name}/{number}" if number > 1 else self.name
        self.said = self._text(f"/log/{below}/checkpoint")
        return opened(self.said, origin=self.origin_of(number), key=self.key)

    def origin_of(self, number: int) -> str:
        return f"{self.first_origin}/{number}" if number > 1 else self.first_origin

    def _statements(self) -> list[str]:
        """None at a hub that has no such thing."""
        try:
            answer = self.session.ask("GET", f"/log/{self.name}/successions", headers={"Cache-Control": "no-cache"})
        except NotFound:
            return []
        return read_statements(decoded(answer))

    def _text(self, path: str) -> str:
        body = self.session.ask("GET", path, headers={"Cache-Control": "no-cache"}).content
        if len(body) > MAX_NOTE:
            raise MalformedLog("The checkpoint is too long.")
        return body.decode("utf-8", "replace")

    # --- tiles, believed only as far as they lead to a signed root ---

    def reader(self, signed: Signed) -> Callable[[int, int, int], bytes]:
        origin = signed.checkpoint.origin
        below = f"{self.name}{origin.removeprefix(self.first_origin)}"

        def read(level: int, index: int, width: int) -> bytes:
            kept = self._tiles.get((level, index, width))
            if kept is None:
                kept = self._tiles[level, index, width] = self._tile(below, level, index, width)
            return kept

        return read

    def _tile(self, below: str, level: int, index: int, width: int) -> bytes:
        """A log may keep a full tile alone once it is full (tlog-tiles, section "Partial tiles")."""
        try:
            body = self.session.ask("GET", f"/log/{below}/{tile_path(level, index, width)}").content
        except NotFound:
            if width == WIDTH:
                raise
            full = self.session.ask("GET", f"/log/{below}/{tile_path(level, index)}").content
            body = cut(level, full[:MAX_TILE], width)
        if len(body) > MAX_TILE:
            raise MalformedLog("A tile is too long.")
        return body

    def check_tree(self, signed: Signed) -> Tree:
        """Its tree, whose tiles lead to the root that was signed. Raises WrongProof, MalformedLog, NetworkError."""
        tree = Tree(signed.checkpoint.size, self.reader(signed))
        if tree.root() != signed.checkpoint.root:
            raise WrongProof(f"The tiles of {signed.checkpoint.origin} do not lead to the root that was signed.")
        return tree

    def check_extends(self, old: Checkpoint, new: Signed) -> None:
        """Raises LogForked when the log as it is served, up to the root of `new`, does not begin with `old`."""
        proof: list[bytes] = []
        if 0 < old.size < new.checkpoint.size:
            proof = self.check_tree(new).consistency_proof(old.size)
        verify_consistency(
            old.size, old_root=old.root, new_size=new.checkpoint.size, new_root=new.checkpoint.root, proof=proof
        )

    def entries(self, signed: Signed, *, start: int) -> Iterator[tuple[int, bytes]]:
        """(index, entry) from `start` on, each bundle held against its tile of hashes, and that against the root."""
        size, read = signed.checkpoint.size, self.reader(signed)
        tree = self.check_tree(signed)
        for bundle in range(start >> HEIGHT, -(-size // WIDTH)):
            width = width_at(size, 0, bundle)
            found = read_entries(read(ENTRIES, bundle, width), width=width)
            if [leaf_hash(entry) for entry in found] != hashes_in(read(0, bundle, width), width=width):
                raise WrongProof(f"The entries of {signed.checkpoint.origin} are not those of its tiles.")
            index = bundle * WIDTH
            _check_first(tree, signed, index, found[0])
            yield from ((at, entry) for at, entry in enumerate(found, start=index) if at >= start)


def _check_first(tree: Tree, signed: Signed, index: int, entry: bytes) -> None:
    """One leaf's proof takes its tile along: the others of the tile are hashed on its way."""
    checkpoint = signed.checkpoint
    verify_inclusion(
        leaf_hash(entry), index=index, size=checkpoint.size, proof=tree.inclusion_proof(index), root=checkpoint.root
    )
