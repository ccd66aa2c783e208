"""Who and when, for all vectors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIST_ID: Final = "3f9c0a51d2e4b786"


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def seed(number: int) -> str:
    return (bytes([number]) * 32).hex()
