"""The hub's keys in a backup open with the passphrase, beside the backup they belong to, and in no other way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hashshare.backup.sealed_keys import open_keys, seal_keys
from hashshare.wire.errors import BadBackup, UsageError

WORDS = "a passphrase of words"
FILES = {"online.pem": b"a private key", "log.pem": b"another"}


@pytest.fixture
def sealed() -> bytes:
    return seal_keys(FILES, passphrase=WORDS, bound_to=b"this backup")


def test_they_come_back(sealed: bytes) -> None:
    assert open_keys(sealed, passphrase=WORDS, bound_to=b"this backup") == FILES
    assert b"a private key" not in sealed


@pytest.mark.parametrize(
    ("passphrase", "bound_to"), [("another passphrase", b"this backup"), (WORDS, b"another backup")]
)
def test_they_open_for_nothing_else(sealed: bytes, passphrase: str, bound_to: bytes) -> None:
    with pytest.raises(BadBackup, match="do not open"):
        open_keys(sealed, passphrase=passphrase, bound_to=bound_to)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 1 << 30}, "does not know"),
        ({"format": "hashshare-sealed-keys/2"}, "does not know"),
        ({"salt": "AAAA"}, "damaged"),
        ({"sealed": "?"}, "damaged"),
    ],
)
def test_it_refuses_what_is_sealed_otherwise(sealed: bytes, change: dict[str, Any], words: str) -> None:
    """A file that asks for a gigabyte of memory, for instance."""
    with pytest.raises(BadBackup, match=words):
        open_keys(json.dumps({**json.loads(sealed), **change}).encode(), passphrase=WORDS, bound_to=b"this backup")


def test_it_takes_no_passphrase_that_is_soon_guessed() -> None:
    with pytest.raises(UsageError, match="12 characters"):
        seal_keys(FILES, passphrase="too short", bound_to=b"")
