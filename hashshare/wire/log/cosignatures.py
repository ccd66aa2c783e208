"""Cosignatures (C2SP tlog-cosignature, Ed25519): a witness's word, with the time, that a log had only grown.

    north.example/log/publication
    12
    (root in base64)

    — north.example/log/publication (the log's own signature)
    — south.example/witness (four bytes of the key's hash, the time as 64 bits, then the signature, in base64)

What is signed is "cosignature/v1", a line with the time, and the text of the checkpoint (section "Ed25519 signed
message"). It is of another kind than a note's own signature, so neither can pass for the other, even by one key. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, MalformedLog
from hashshare.wire.log.notes import (
    KEY_HASH_BYTES,
    check_signer,
    key_hash_of,
    read_note,
    read_vkey,
    signature_line,
    vkey_of,
)

COSIGNATURE: Final = b"\x04"
"""The kind of the signature in a key's hash and text (section "Format")."""

HEADER: Final = "cosignature/v1"
MAX_TIME: Final = 2**63 - 1
_TIME_BYTES: Final = 8
_LENGTH: Final = KEY_HASH_BYTES + _TIME_BYTES + 64


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness: its name and the key that cosigns under it; `public` is raw, 32 bytes."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_signer(self.name, self.public)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """From `name+hash+key`, the hash in lower-case hex; raises MalformedLog."""
        return cls(*read_vkey(vkey, COSIGNATURE, whose="witness"))

    @property
    def key_hash(self) -> bytes:
        """As in a signed note: another than that of the same key as a signer of notes."""
        return key_hash_of(self.name, COSIGNATURE, self.public)

    def to_text(self) -> str:
        """The verifier key (vkey) that other programs take."""
        return vkey_of(self.name, COSIGNATURE, self.public)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """`at`: the time it was made, in seconds since 1970. `line` is as in the note, with its newline."""

    cosigner: Cosigner
    at: int
    line: str


def cosign(text: str, *, name: str, key: Ed25519PrivateKey, at: int) -> Cosignature:
    """Under the text of a checkpoint, which ends with a newline; raises MalformedLog for a time that cannot be."""
    cosigner = Cosigner(name, keys.public_bytes(key))
    signature = key.sign(_message(text, at))
    return Cosignature(cosigner, at, signature_line(name, cosigner.key_hash + _time_bytes(at) + signature))


def cosignatures(note: str, cosigners: Iterable[Cosigner]) -> list[Cosignature]:
    """Those in the note that `cosigners` made, each verified, in its order; one of each, the newest. Signatures of
    other keys are passed over.

    Raises MalformedLog for what is no note, BadSignature when one under a known name and key does not verify (signed-
    note, section "Signatures": the whole note is then refused).
    """
    text, signatures = read_note(note)
    known = {(cosigner.name, cosigner.key_hash): cosigner for cosigner in cosigners}
    found: dict[Cosigner, Cosignature] = {}
    for name, raw in signatures:
        cosigner = known.get((name, raw[:KEY_HASH_BYTES]))
        if cosigner is None:
            continue
        made = Cosignature(cosigner, _verified_time(text, cosigner, raw), signature_line(name, raw))
        if cosigner not in found or found[cosigner].at < made.at:
            found[cosigner] = made
    return list(found.values())


def _verified_time(text: str, cosigner: Cosigner, raw: bytes) -> int:
    if len(raw) != _LENGTH:
        raise MalformedLog(f"The cosignature by {cosigner.name} has {len(raw)} bytes, not {_LENGTH}.")
    at = int.from_bytes(raw[KEY_HASH_BYTES : KEY_HASH_BYTES + _TIME_BYTES], "big")
    try:
        keys.public_key(cosigner.public).verify(raw[KEY_HASH_BYTES + _TIME_BYTES :], _message(text, at))
    except InvalidSignature as fault:
        raise BadSignature(f"The cosignature by {cosigner.name} does not verify.") from fault
    return at


def _message(text: str, at: int) -> bytes:
    if not 0 <= at <= MAX_TIME:
        raise MalformedLog("The time of a cosignature is not one.")
    return f"{HEADER}\ntime {at}\n{text}".encode()


def _time_bytes(at: int) -> bytes:
    return at.to_bytes(_TIME_BYTES, "big")
