"""Codes that people read, type and use once: what they are made of, and how the hub remembers them."""

from __future__ import annotations

import secrets
from typing import Final

from django.utils.crypto import salted_hmac

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0/O and 1/I; twelve of them are 60 random bits."""
CODE_LENGTH: Final = 12


def new_code() -> str:
    """Such as `7KQ4-M2XF-9D3P`."""
    return code_of(secrets.token_bytes(CODE_LENGTH))


def code_of(drawn: bytes) -> str:
    """The code that twelve random bytes spell: five bits of each, for the alphabet has 32 letters."""
    text = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn)
    return "-".join(text[i : i + 4] for i in (0, 4, 8))


def plain(code: str) -> str:
    """As it counts, however it was typed."""
    return "".join(char for char in code.upper() if char.isalnum())


def keyed_hash(code: str, *, use: str) -> str:
    """Keyed with the hub's secret: 60 bits alone could be searched for in a stolen database."""
    return salted_hmac(use, plain(code), algorithm="sha256").hexdigest()
