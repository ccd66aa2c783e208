"""Checkpoints (C2SP tlog-checkpoint): what a log says of itself: its origin, its size and its root, as a signed note.

A log of this project signs under its origin as the key's name.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire.errors import MalformedLog, WrongProof
from hashshare.wire.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from hashshare.wire.log.notes import Verifier, check_name, decode_base64, open_note, sign_note

NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`root` is raw. `extensions` are further lines, which others' logs may have and nobody can check."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise MalformedLog("The size or the root of a checkpoint cannot be those of a log.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedLog("The root of an empty log is another one.")
        if any(not line or "\n" in line for line in self.extensions):
            raise MalformedLog("An extension of a checkpoint is one line.")

    def to_text(self) -> str:
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note, not yet believed; raises MalformedLog."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not text.endswith("\n"):
            raise MalformedLog("A checkpoint has at least three lines.")
        origin, size, root, *extensions = lines
        return cls(origin, read_number(size), decode_base64(root, what="root", length=HASH_BYTES), tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, *, key: Ed25519PrivateKey) -> str:
    """The note, signed under the checkpoint's origin."""
    return sign_note(checkpoint.to_text(), name=checkpoint.origin, key=key)


def open_checkpoint(note: str, verifier: Verifier, *, origin: str) -> Checkpoint:
    """Raises MalformedLog, BadSignature, or WrongProof when it is signed but speaks of another log than `origin`."""
    checkpoint = Checkpoint.parse(open_note(note, verifier))
    if checkpoint.origin != origin:
        raise WrongProof(f"The checkpoint is one of {checkpoint.origin}, not of {origin}.")
    return checkpoint


def read_number(text: str) -> int:
    """A decimal number without leading zeros; raises MalformedLog."""
    if not NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise MalformedLog("A number of the log is not written as it must be.")
    return int(text)
