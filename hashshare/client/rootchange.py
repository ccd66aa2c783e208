"""How a publisher's root changed under a client: keys that went and came, told once. Trust is decided elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.repository import read_role, standby_hub
from hashshare.wire.repository.rotation import KeyChange, key_changes

HUB_ROLES: Final = ("snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class RootChange:
    """A publisher's root was followed from version `before` to `after` by its own signatures. No `changes`: renewed."""

    domain: str
    before: int
    after: int
    changes: tuple[KeyChange, ...]
    standby: tuple[str, str] = ("", "")
    """The standby hubs that the two roots name, "" for none."""

    def to_json(self) -> dict[str, Any]:
        changes = [
            {
                "role": change.role,
                "removed": list(change.removed),
                "added": list(change.added),
                "threshold": change.after,
            }
            for change in self.changes
        ]
        told = {"publisher": self.domain, "before": self.before, "after": self.after, "changes": changes}
        return {**told, "standby_hub": self.standby[1] or None}

    def __str__(self) -> str:
        parts = "; ".join(dict.fromkeys(map(_said, self.changes))) or "renewed, with the same keys"
        before, after = self.standby
        if before != after:
            means = ", which may say what is newest when the publisher's own hub is dead"
            parts += f"; standby hub: {after}{means}" if after else f"; no longer its standby hub: {before}"
        return f"{self.domain}: root v{self.before} → v{self.after}, signed by the root before it: {parts}."


def root_change(domain: str, before: bytes | None, path: Path) -> RootChange | None:
    """What came of `before`, the root trusted until now (None: first contact), by the one at `path`."""
    if before is None or not path.exists():
        return None
    after = path.read_bytes()
    if after == before:
        return None
    versions = read_role("root", before).version, read_role("root", after).version
    return RootChange(domain, *versions, key_changes(before, after), (_standby(before), _standby(after)))


def _standby(root: bytes) -> str:
    """A question mark for what cannot be read: no reason not to follow a root, and never silent."""
    try:
        named = standby_hub(root)
    except MalformedMetadata:
        return "?"
    return named.hub if named else ""


def _said(change: KeyChange) -> str:
    """Snapshot and timestamp have the same keys, those of the hub, and are told as one."""
    whose = "the hub's keys" if change.role in HUB_ROLES else f"{change.role} keys"
    parts = []
    if change.removed:
        parts.append(f"{_keyids(change.removed)} out")
    if change.added:
        parts.append(f"{_keyids(change.added)} in")
    if change.before != change.after:
        parts.append(f"{change.after} must sign instead of {change.before}")
    return f"{whose}: {', '.join(parts)}"


def _keyids(keyids: tuple[str, ...]) -> str:
    return ", ".join(f"{keyid[:12]}…" for keyid in keyids)
