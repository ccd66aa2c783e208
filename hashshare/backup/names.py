"""The only names that a file of a backup may have: all else is refused, a path out of it included."""

from __future__ import annotations

import re
from typing import Final

from hashshare.storage.keys import DIGEST, LIST_ID, NAME

DUMP: Final = "database.dump"
SUMS: Final = "SHA256SUMS"
KEYS: Final = "keys.sealed"
DESCRIPTION: Final = "backup.json"
OBJECTS: Final = "objects"
NAMED: Final = "objects.named"
"""Digest, length and name of each object that is not in the backup itself."""

_OBJECT: Final = re.compile(rf"{OBJECTS}/({LIST_ID.pattern}/{DIGEST.pattern}\.{NAME.pattern})")
KEY_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a file among the hub's keys may be called."""

LONGEST: Final = 300
"""Characters of a name."""


def object_member(key: str) -> str:
    """The member that holds the object of this storage key."""
    return f"{OBJECTS}/{key}"


def object_key_of(member: str) -> str | None:
    """The storage key of an object's member; None for any other."""
    match = _OBJECT.fullmatch(member)
    return match[1] if match else None


def is_member(name: str) -> bool:
    """Whether a backup may hold a file of this name."""
    return name in {DUMP, NAMED, SUMS, KEYS, DESCRIPTION} or object_key_of(name) is not None
