"""An object's name in the store, `<list-id>/<sha256>.<name>`: the only names there are."""

from __future__ import annotations

import re

from hashshare.wire import errors

LIST_ID = re.compile(r"[0-9a-f]{16}")
DIGEST = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\.(json|parquet)")


def object_key(list_id: str, digest: str, name: str) -> str:
    """Raises NotFound for anything that cannot be one, such as a path."""
    if not (LIST_ID.fullmatch(list_id) and DIGEST.fullmatch(digest) and NAME.fullmatch(name)):
        raise errors.NotFound
    return f"{list_id}/{digest}.{name}"


def digest_of(key: str) -> str:
    """The SHA-256, in hex, that the object's bytes must have."""
    return key.partition("/")[2].partition(".")[0]


def media_type_of(key: str) -> str:
    return "application/json" if key.endswith(".json") else "application/vnd.apache.parquet"
