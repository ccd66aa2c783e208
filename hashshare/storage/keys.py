"""An object's name in the store, `<list-id>/<sha256>.<name>`; drafts apart, these are the only names there are."""

from __future__ import annotations

import re
import uuid

from hashshare.wire import errors

LIST_ID = re.compile(r"[0-9a-f]{16}")
DIGEST = re.compile(r"[0-9a-f]{64}")
DRAFTS = "drafts"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\.(json|parquet)")


def object_key(list_id: str, digest: str, name: str) -> str:
    """Raises NotFound for anything that cannot be one, such as a path."""
    if not (LIST_ID.fullmatch(list_id) and DIGEST.fullmatch(digest) and NAME.fullmatch(name)):
        raise errors.NotFound
    return f"{list_id}/{digest}.{name}"


def draft_key(digest: str, draft: uuid.UUID, *, faults: bool = False) -> str:
    """Where an uploaded file that is no release yet lies, or that of its `faults`. No address of the API leads here."""
    if not DIGEST.fullmatch(digest):
        raise errors.NotFound
    return f"{DRAFTS}/{digest}.{draft}{'-faults' if faults else ''}.csv"


def is_draft(key: str) -> bool:
    return key.startswith(f"{DRAFTS}/")


def digest_of(key: str) -> str:
    """The SHA-256, in hex, that the object's bytes must have."""
    return key.partition("/")[2].partition(".")[0]


def media_type_of(key: str) -> str:
    if is_draft(key):
        return "text/csv"
    return "application/json" if key.endswith(".json") else "application/vnd.apache.parquet"
