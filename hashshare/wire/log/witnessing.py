"""What a log asks a witness (C2SP tlog-witness, section "add-checkpoint"): to follow it to a checkpoint, by a proof.

    old 256
    (a hash of the consistency proof in base64, up to 63 of them)

    north.example/log/aurora.example
    512
    (root in base64)

    — north.example/log/aurora.example (signature)

The rule by which a witness answers is here too, since it must be the same wherever one stands. Pure.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final, Self

from hashshare.wire.errors import Conflict, LogForked, MalformedLog, WrongProof
from hashshare.wire.log.checkpoints import Checkpoint, read_number
from hashshare.wire.log.merkle import HASH_BYTES, verify_consistency
from hashshare.wire.log.notes import MAX_NOTE, decode_base64

MAX_PROOF: Final = 63
MAX_REQUEST: Final = MAX_NOTE + 4 * 1024
SIZE_TYPE: Final = "text/x.tlog.size"
"""The content type of a 409 that says which size the witness knows."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """`note` is the signed checkpoint as it was sent, not yet believed; `proof` are raw hashes."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def to_text(self) -> str:
        lines = [f"old {self.old}", *(base64.b64encode(hashed).decode() for hashed in self.proof)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises MalformedLog."""
        if len(body) > MAX_REQUEST:
            raise MalformedLog(f"The request has {len(body)} bytes; {MAX_REQUEST} are allowed.")
        try:
            head, gap, note = body.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as fault:
            raise MalformedLog("The request is not UTF-8.") from fault
        first, *hashes = head.split("\n")
        if not gap or not first.startswith("old "):
            raise MalformedLog("The request is a line with the old size, a proof, an empty line and a checkpoint.")
        if len(hashes) > MAX_PROOF:
            raise MalformedLog(f"A proof has at most {MAX_PROOF} hashes.")
        proof = tuple(decode_base64(line, what="proof", length=HASH_BYTES) for line in hashes)
        return cls(read_number(first.removeprefix("old ")), proof, note)


def check_step(known: Checkpoint, asked: AddCheckpoint, offered: Checkpoint) -> None:
    """Whether a witness that cosigned `known` last (of size 0 if it never did) may cosign `offered`, whose signature is
    verified.

    Raises, in the order of the specification: MalformedLog when the old size is beyond the checkpoint's (400);
    Conflict when the old size is not that of `known` (409); LogForked when two logs of one size differ (409);
    WrongProof when the proof does not verify (422).
    """
    if asked.old > offered.size:
        raise MalformedLog(f"The old size, {asked.old}, is beyond the checkpoint's, {offered.size}.")
    if asked.old != known.size:
        raise Conflict(f"The last checkpoint cosigned here has {known.size} leaves.", size=known.size)
    try:
        verify_consistency(
            known.size, old_root=known.root, new_size=offered.size, new_root=offered.root, proof=asked.proof
        )
    except LogForked as fault:
        if known.size == offered.size:
            raise
        raise WrongProof(fault.message) from fault
