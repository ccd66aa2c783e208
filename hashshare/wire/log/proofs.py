"""Receipts (C2SP tlog-proof): a text that shows offline, against the log's key alone, that an entry is in the log."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, Self

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log.checkpoints import Checkpoint, open_checkpoint, read_number
from hashshare.wire.log.merkle import HASH_BYTES, MAX_SIZE, leaf_hash, verify_inclusion
from hashshare.wire.log.notes import MAX_NOTE, Verifier, decode_base64

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
MAX_EXTRA: Final = 16 * 1024
MAX_PROOF: Final = 63
MAX_RECEIPT: Final = MAX_NOTE + 32 * 1024
"""Characters, before anything of it is read."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`proof`: raw hashes, the leaf's sibling first. `extra` is bytes that nobody vouches for."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint_note: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE or len(self.proof) > MAX_PROOF:
            raise MalformedLog("The index or the proof of a receipt cannot be those of a log.")
        if any(len(hashed) != HASH_BYTES for hashed in self.proof):
            raise MalformedLog(f"A hash of the log has {HASH_BYTES} bytes.")
        if self.extra is not None and len(self.extra) > MAX_EXTRA:
            raise MalformedLog(f"A receipt has at most {MAX_EXTRA} bytes of extra data.")

    def to_text(self) -> str:
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        proof = [base64.b64encode(hashed).decode() for hashed in self.proof]
        return "\n".join([FIRST_LINE, *extra, f"index {self.index}", *proof, "", self.checkpoint_note])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Not yet believed; raises MalformedLog."""
        if len(text) > MAX_RECEIPT:
            raise MalformedLog(f"A receipt has at most {MAX_RECEIPT} characters.")
        head, gap, note = text.partition("\n\n")
        first, *lines = head.split("\n")
        if not gap or first != FIRST_LINE:
            raise MalformedLog(f"A receipt begins with {FIRST_LINE} and ends with a checkpoint.")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), what="extra data of the receipt")
        if not lines or not lines[0].startswith("index "):
            raise MalformedLog("A receipt says the index of its entry.")
        proof = tuple(decode_base64(line, what="proof", length=HASH_BYTES) for line in lines[1 : MAX_PROOF + 2])
        return cls(read_number(lines[0].removeprefix("index ")), proof, note, extra)

    def verify(self, entry: bytes, verifier: Verifier, *, origin: str) -> Checkpoint:
        """The checkpoint under which `entry` is proved; raises MalformedLog, BadSignature or WrongProof."""
        checkpoint = open_checkpoint(self.checkpoint_note, verifier, origin=origin)
        verify_inclusion(
            leaf_hash(entry), index=self.index, size=checkpoint.size, proof=self.proof, root=checkpoint.root
        )
        return checkpoint
