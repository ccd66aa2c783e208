"""Members' keys as a hotline learned them from the members themselves, by another channel than the hub.

A text file: the organisation's short name and the fingerprint of one of its keys on each line; `#` begins a remark. An
organisation with several keys, or with one that it has replaced, has several lines.

    # read out by Cobalt's duty desk, 2026-11-22
    cobalt  SHA256:hv1b3io+L+UD57k2xwzQOijXBZx4ZN2S7ITMWGsxt3U
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hashshare.wire.errors import UsageError
from hashshare.wire.limits import MIB

LONGEST: Final = MIB
"""Bytes of a file."""
_LINE: Final = re.compile(r"(\S+)\s+(SHA256:[A-Za-z0-9+/]{43})")

MemberKeys = Mapping[str, frozenset[str]]
"""Organisation -> fingerprints of all keys that may have signed for it."""


def load_member_keys(path: Path) -> MemberKeys:
    """Raises UsageError naming the line, or the file when it is too long; OSError as usual."""
    if path.stat().st_size > LONGEST:
        raise UsageError(f"{path} is too long for a file of members' keys.")
    try:
        return read_member_keys(path.read_text(encoding="utf-8"), name=str(path))
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None


def read_member_keys(text: str, *, name: str) -> MemberKeys:
    """`name` is that of the file. Raises UsageError."""
    found: dict[str, set[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _LINE.fullmatch(said)
        if match is None:
            raise UsageError(
                f"{name} line {number} is not an organisation and a key's fingerprint.",
                next_step="As in: cobalt SHA256:hv1b3io+L+UD57k2xwzQOijXBZx4ZN2S7ITMWGsxt3U",
            )
        found.setdefault(match[1], set()).add(match[2])
    return {organisation: frozenset(prints) for organisation, prints in found.items()}
