"""Signed notes (C2SP signed-note) with Ed25519: text, an empty line, and lines that each say who signed it.

example.org/log
12
(root in base64)

— example.org/log (four bytes of the key's hash, then the signature, in base64)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, MalformedLog, UsageError

ED25519: Final = b"\x01"
KEY_HASH_BYTES: Final = 4
MAX_NOTE: Final = 128 * 1024
"""Bytes: sixteen signatures of any kind must fit, and those of later kinds have some five thousand bytes."""

MAX_SIGNATURES: Final = 100
MAX_NAME: Final = 400
_MARK: Final = "\u2014 "
_UNPRINTABLE: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A name and the key that signs under it; `public` is raw, 32 bytes."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_signer(self.name, self.public)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """From `name+hash+key`, the hash in lower-case hex; raises MalformedLog."""
        return cls(*read_vkey(vkey, ED25519, whose="log"))

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell this name and key from others: no protection, only a label."""
        return key_hash_of(self.name, ED25519, self.public)

    def to_text(self) -> str:
        return vkey_of(self.name, ED25519, self.public)


def verifier_key(name: str, public: bytes) -> str:
    """The verifier's text (vkey) that note programs take; `public` is the raw key."""
    return Verifier(name, public).to_text()


def check_signer(name: str, public: bytes) -> None:
    """Raises MalformedLog for what can neither name nor be an Ed25519 key."""
    check_name(name)
    try:
        keys.public_key(public)
    except UsageError as fault:
        raise MalformedLog(fault.message) from fault


def key_hash_of(name: str, kind: bytes, public: bytes) -> bytes:
    """Of a key that makes signatures of that kind (signed-note, section "Signatures")."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:KEY_HASH_BYTES]


def vkey_of(name: str, kind: bytes, public: bytes) -> str:
    """The text that other programs take (signed-note, section "Verifier keys")."""
    return f"{name}+{key_hash_of(name, kind, public).hex()}+{base64.b64encode(kind + public).decode()}"


def read_vkey(vkey: str, kind: bytes, *, whose: str) -> tuple[str, bytes]:
    """The name and the raw key of such a text; raises MalformedLog, also for a key of another kind."""
    name, _, rest = vkey.partition("+")
    key_hash, _, encoded = rest.partition("+")
    raw = decode_base64(encoded, what="key")
    if raw[:1] != kind:
        raise MalformedLog(f"The key is of another kind than the {whose}'s: that is Ed25519, marked with {kind[0]}.")
    check_signer(name, raw[1:])
    if key_hash != key_hash_of(name, kind, raw[1:]).hex():
        raise MalformedLog(f"The hash in the {whose}'s key is not that of its name and key.")
    return name, raw[1:]


def sign_note(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """`text`, which ends with a newline, with one signature; raises MalformedLog for text that no note can hold."""
    if not text.endswith("\n"):
        raise MalformedLog("The text of a note ends with a newline.")
    _check_text(text)
    verifier = Verifier(name, keys.public_bytes(key))
    signature = verifier.key_hash + key.sign(text.encode())
    return f"{text}\n{signature_line(name, signature)}"


def signature_line(name: str, signature: bytes) -> str:
    """One line of a note, its newline with it; `signature` begins with the key's hash."""
    return f"{_MARK}{name} {base64.b64encode(signature).decode()}\n"


def read_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, not yet believed, and its signatures: the key's name, and the bytes with the key's hash in front.

    Raises MalformedLog for what is no note.
    """
    _check_text(note)
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise MalformedLog("A note is text, an empty line and signatures.")
    signatures = lines.removesuffix("\n").split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise MalformedLog(f"A note has at most {MAX_SIGNATURES} signatures.")
    return f"{text}\n", [_read_signature(line) for line in signatures]


def open_note(note: str, verifier: Verifier) -> str:
    """The text that `verifier`'s key signed; signatures of other keys are passed over.

    Raises MalformedLog for what is no note, BadSignature when the key's signature is missing or wrong.
    """
    signed, signatures = read_note(note)
    mine = [raw for name, raw in signatures if _is_by(verifier, name, raw)]
    if not mine:
        raise BadSignature(f"The note is not signed by {verifier.name} with the key that is expected.")
    public = keys.public_key(verifier.public)
    for raw in mine:
        try:
            public.verify(raw[KEY_HASH_BYTES:], signed.encode())
        except InvalidSignature as fault:
            raise BadSignature(f"The note's signature by {verifier.name} does not verify.") from fault
    return signed


def check_name(name: str) -> None:
    """Raises MalformedLog for what cannot name a key."""
    if not name or len(name) > MAX_NAME or "+" in name or any(sign.isspace() for sign in name):
        raise MalformedLog("A key's name is not empty and has no spaces and no plus sign.")
    _check_text(name)


def decode_base64(text: str, *, what: str, length: int | None = None) -> bytes:
    """Standard base64 with its padding, in the one form that encoding gives; raises MalformedLog."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as fault:
        raise MalformedLog(f"The {what} is not base64.") from fault
    if base64.b64encode(raw).decode() != text:
        raise MalformedLog(f"The {what} is not base64 as it is written.")
    if length is not None and len(raw) != length:
        raise MalformedLog(f"The {what} has {len(raw)} bytes, not {length}.")
    return raw


def _read_signature(line: str) -> tuple[str, bytes]:
    name, gap, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not gap:
        raise MalformedLog("A signature of the note is not a dash, a name and base64.")
    check_name(name)
    raw = decode_base64(encoded, what="signature")
    if len(raw) <= KEY_HASH_BYTES:
        raise MalformedLog("A signature of the note is too short.")
    return name, raw


def _is_by(verifier: Verifier, name: str, raw: bytes) -> bool:
    return name == verifier.name and raw[:KEY_HASH_BYTES] == verifier.key_hash


def _check_text(text: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as fault:
        raise MalformedLog("The note is not UTF-8.") from fault
    if size > MAX_NOTE:
        raise MalformedLog(f"The note has {size} bytes; {MAX_NOTE} are allowed.")
    if _UNPRINTABLE.search(text):
        raise MalformedLog("The note has control characters.")
