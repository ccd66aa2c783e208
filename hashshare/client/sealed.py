"""Small JSON files that carry their own checksum, so that one wrong digit in them is seen and never believed.

It guards against a failing disk and a careless hand, not against whoever may write here: that is what `verify` is for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hashshare.client.home import read_json, write_json
from hashshare.wire.errors import HashshareError

CHECKSUM: Final = "sha256"


def write_sealed(path: Path, document: Mapping[str, Any]) -> None:
    """Replace the file by `document` and its checksum, atomically."""
    write_json(path, {**document, CHECKSUM: _checksum(document)})


def read_sealed(path: Path) -> dict[str, Any] | None:
    """The document as it was written, None if there is no such file. Raises HashshareError if it is damaged."""
    document = read_json(path)
    if document is not None and document.pop(CHECKSUM, None) != _checksum(document):
        raise HashshareError(f"{path} is damaged, or of another version of hashshare.")
    return document


def _checksum(document: Mapping[str, Any]) -> str:
    """Of the content, however it is laid out in the file."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
