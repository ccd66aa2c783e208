"""The entries of the logs. Those of a delivery log hide what they stand for; those of the publication log are digests
of what is public anyway, or hide what a person did.

Every entry of a delivery log has the same 53 bytes, whatever its row says: a line that names the format, then
HMAC-SHA256(nonce, row). Who holds the opening (nonce and row) can check it; for anybody else it is noise. A deed's
entry in the publication log is made alike, under a line of its own, in 49 bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hashshare.wire.errors import MalformedLog, WrongOpening

DELIVERY: Final = b"hashshare-delivery/1\n"
PUBLICATION: Final = b"hashshare-publication/1\n"
DEED: Final = b"hashshare-deed/1\n"
NONCE_BYTES: Final = 32
MAX_ROW: Final = 4 * 1024
"""Bytes of a row."""

_PADDING: Final = b"hashshare-padding/1"


@dataclass(frozen=True, slots=True)
class Opening:
    """`nonce`: 32 secret bytes; `row`: JSON text (`rows`)."""

    nonce: bytes
    row: str

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_BYTES:
            raise MalformedLog(f"The nonce of a row has {NONCE_BYTES} bytes.")
        if len(self._bytes()) > MAX_ROW:
            raise MalformedLog(f"A row has at most {MAX_ROW} bytes.")

    @property
    def commitment(self) -> bytes:
        return hmac.digest(self.nonce, self._bytes(), "sha256")

    def _bytes(self) -> bytes:
        try:
            return self.row.encode("utf-8")
        except UnicodeEncodeError as fault:
            raise MalformedLog("A row is UTF-8.") from fault


def new_opening(row: str) -> Opening:
    """With a nonce from the operating system's random source."""
    return Opening(secrets.token_bytes(NONCE_BYTES), row)


def entry_of(opening: Opening, *, label: bytes = DELIVERY) -> bytes:
    """What stands in the delivery log, or under another label in another."""
    return label + opening.commitment


def check_opening(opening: Opening, *, entry: bytes, label: bytes = DELIVERY) -> None:
    """Raises WrongOpening unless `entry` stands for it."""
    if not hmac.compare_digest(entry_of(opening, label=label), entry):
        raise WrongOpening


def publication_entry(metadata: bytes) -> bytes:
    """What stands in the publication log for a file of signed metadata."""
    return PUBLICATION + hashlib.sha256(metadata).digest()


def padding_secret(key: Ed25519PrivateKey) -> bytes:
    """What the nonces of padding are made from: 32 bytes that only the holder of the log's private key can derive."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PADDING).derive(key.private_bytes_raw())


def padding_nonce(secret: bytes, *, origin: str, index: int) -> bytes:
    """Of the padding at `index` of the log `origin`: no row of a table needs to keep it."""
    return hmac.digest(secret, f"{origin}\n{index}".encode(), "sha256")
