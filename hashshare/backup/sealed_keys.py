"""The hub's keys under a passphrase: scrypt (RFC 7914) makes a key of it, AES-256-GCM seals with that.

What the backup says of itself is bound in as associated data: a backup that was put together by somebody who does not
know the passphrase does not open, even with right keys in it. Pure, but for the random salt and nonce.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hashshare.backup.names import KEY_FILE
from hashshare.wire.documents import read_object
from hashshare.wire.errors import BadBackup, UsageError

FORMAT: Final = "hashshare-sealed-keys/1"
COST: Final = {"n": 1 << 17, "r": 8, "p": 1}
"""128 MiB of memory and about half a second for each guess (OWASP's first choice for scrypt)."""

SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
MOST_FILES: Final = 100
MAX_FILE: Final = 64 * 1024
MAX_SEALED: Final = 16 * 1024 * 1024
SHORTEST_PASSPHRASE: Final = 12


def seal_keys(files: Mapping[str, bytes], *, passphrase: str, bound_to: bytes) -> bytes:
    """A JSON document that only `passphrase` opens, and only beside `bound_to`. Raises UsageError for a short one."""
    check_passphrase(passphrase)
    plain = json.dumps({name: _text(body) for name, body in sorted(files.items())}).encode()
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, bound_to)
    document = {"format": FORMAT, "kdf": "scrypt", **COST, "cipher": "aes-256-gcm"}
    return json.dumps({**document, "salt": _text(salt), "nonce": _text(nonce), "sealed": _text(sealed)}).encode()


def open_keys(document: bytes, *, passphrase: str, bound_to: bytes) -> dict[str, bytes]:
    """File name -> content. Raises BadBackup for what is damaged, foreign, or sealed with another passphrase."""
    found = read_object(document, limit=MAX_SEALED, error=BadBackup, what="file of sealed keys")
    expected = {"format": FORMAT, "kdf": "scrypt", **COST, "cipher": "aes-256-gcm"}
    if {name: found.get(name) for name in expected} != expected:
        raise BadBackup("The keys are sealed in a way that this version does not know.")
    salt, nonce, sealed = (_bytes(found.get(name)) for name in ("salt", "nonce", "sealed"))
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES:
        raise BadBackup("The file of sealed keys is damaged.")
    try:
        plain = AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, bound_to)
    except InvalidTag as error:
        raise BadBackup(
            "The keys do not open: the passphrase is another one, or the backup is not as it was made.",
            next_step="Try the passphrase that was used on the day of this backup. Nothing was changed.",
        ) from error
    return _files(read_object(plain, limit=MAX_SEALED, error=BadBackup, what="list of keys"))


def check_passphrase(passphrase: str) -> None:
    """Raises UsageError for one that is soon guessed."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError(f"The passphrase has at least {SHORTEST_PASSPHRASE} characters; five random words are good.")


def _files(found: Mapping[str, Any]) -> dict[str, bytes]:
    if len(found) > MOST_FILES or not all(KEY_FILE.fullmatch(name) for name in found):
        raise BadBackup("Among the keys is a file that cannot be one.")
    return {name: _bytes(text) for name, text in found.items()}


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **COST).derive(passphrase.encode())


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadBackup("The file of sealed keys is damaged.") from error
