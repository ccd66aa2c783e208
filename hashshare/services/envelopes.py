"""Secrets that the hub must be able to read again, encrypted before they go into the database.

The key comes from the hub's secret key, which is not in the database: whoever copies the one has nothing without the
other. What is sealed says what it is for, so an envelope moved to another row does not open.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES: Final = 12
_INFO: Final = b"hashshare-envelope/1"


class CannotOpenError(Exception):
    """It was sealed with another secret key, for another use, or it is damaged."""


def seal(secret: bytes, *, use: str) -> bytes:
    """AES-256-GCM: a random nonce of 12 bytes, then what it hides and its tag."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, use.encode())


def unseal(sealed: bytes, *, use: str) -> bytes:
    """Raises CannotOpenError."""
    try:
        return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], use.encode())
    except (InvalidTag, ValueError) as fault:
        raise CannotOpenError from fault


def _key() -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO).derive(settings.SECRET_KEY.encode())
