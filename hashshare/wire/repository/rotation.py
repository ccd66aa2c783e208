"""What changes when a key is replaced: which keys come and go, what must be signed anew, and who signed what. Pure.

- A feed key: targets delegate each list to the new key, and every feed that stands comes signed by it beside them.
- An officer's targets key: the root names the new key, and targets come signed by the new threshold beside it.
- An officer's root key, or the hub's keys: the root alone, signed by the old threshold and the new one.

The metadata itself is made by `officers`; the hub's judgement is `verification`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key
from tuf.api.metadata import Root, Targets

from hashshare.wire.errors import UsageError
from hashshare.wire.objects import LIST_ID
from hashshare.wire.repository.metadata import (
    MAJOR,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    RoleFile,
    read_role,
    read_typed,
)
from hashshare.wire.repository.verification import Trusted

ROOT_ROLES: Final = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
"""What a root names keys for."""


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One role's keys between two roots: key ids that went, that came, and the thresholds before and after."""

    role: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    before: int
    after: int


def key_changes(before: bytes, after: bytes) -> tuple[KeyChange, ...]:
    """What differs between two roots, role by role; nothing for a mere renewal. Signatures are not judged."""
    old, new = read_typed(ROOT, before, Root).signed, read_typed(ROOT, after, Root).signed
    changes = [
        KeyChange(
            role,
            _without(old.roles[role].keyids, new.roles[role].keyids),
            _without(new.roles[role].keyids, old.roles[role].keyids),
            old.roles[role].threshold,
            new.roles[role].threshold,
        )
        for role in ROOT_ROLES
    ]
    return tuple(change for change in changes if change.removed or change.added or change.before != change.after)


def officer_keys(root: bytes, role: str) -> tuple[Key, ...]:
    """The keys that `root` names for "root", "targets", "snapshot" or "timestamp", in its order."""
    signed = read_typed(ROOT, root, Root).signed
    return tuple(signed.keys[keyid] for keyid in signed.roles[role].keyids)


def feed_keys(targets: bytes) -> dict[str, tuple[Key, ...]]:
    """List id -> the keys that may sign it."""
    delegations = read_typed(TARGETS, targets, Targets).signed.delegations
    roles = (delegations.roles or {}) if delegations else {}
    return {
        name: tuple(delegations.keys[keyid] for keyid in role.keyids)  # type: ignore[union-attr]
        for name, role in roles.items()
        if LIST_ID.fullmatch(name)
    }


def major_keys(targets: bytes) -> tuple[tuple[Key, ...], int] | None:
    """Who may sign majors, and how many must; None where the publisher has given the role to nobody."""
    delegations = read_typed(TARGETS, targets, Targets).signed.delegations
    role = (delegations.roles or {}).get(MAJOR) if delegations else None
    if role is None or delegations is None:
        return None
    return tuple(delegations.keys[keyid] for keyid in role.keyids), role.threshold


def with_replaced(keys: Iterable[Key], *, old: str, new: Key) -> list[Key]:
    """`keys` with `new` in the place of the one whose key id is `old`.

    Raises UsageError when `old` is not among them or `new` already is.
    """
    standing = list(keys)
    if any(key.keyid == new.keyid for key in standing):
        raise UsageError(f"The key {new.keyid[:16]}… signs here already; a replacement is a key of its own.")
    kept = {key.keyid for key in without_key(standing, old=old)}
    return [key if key.keyid in kept else new for key in standing]


def without_key(keys: Iterable[Key], *, old: str) -> list[Key]:
    """`keys` but the one whose key id is `old`. Raises UsageError when it is not among them."""
    standing = list(keys)
    if all(key.keyid != old for key in standing):
        raise UsageError(f"The key {old[:16]}… is not one of those that sign here.")
    return [key for key in standing if key.keyid != old]


def with_feed_replaced(targets: bytes, *, new: Key, lists: Iterable[str]) -> dict[str, list[Key]]:
    """What to delegate so that `new` alone signs each of `lists`; those that it alone signs already are left out."""
    standing = feed_keys(targets)
    return {list_id: [new] for list_id in lists if [key.keyid for key in standing.get(list_id, ())] != [new.keyid]}


def uncovered(trusted: Trusted, *, root: bytes | None = None, targets: bytes | None = None) -> tuple[str, ...]:
    """Which of the accepted roles ("targets", list ids) would be left hanging by a new root or new targets, so that
    they must come signed anew in the same commit.
    """
    found = []
    standing_targets = targets or trusted.targets
    if root is not None and targets is None and trusted.targets is not None:
        delegator: Root | Targets = read_typed(ROOT, root, Root).signed
        found += [] if _covers(delegator, read_role(TARGETS, trusted.targets)) else [TARGETS]
    if standing_targets is not None:
        delegator = read_typed(TARGETS, standing_targets, Targets).signed
        found += [role for role, body in trusted.feeds.items() if not _covers(delegator, read_role(role, body))]
    return tuple(found)


def signers_of(role: str, body: bytes, known: Iterable[Key]) -> tuple[str, ...]:
    """The key ids among `known` whose signature over the metadata is valid, whether or not the role was theirs."""
    file = read_role(role, body)
    return tuple(key.keyid for key in known if _signed(file, key))


def lists_of_key(targets: bytes, keyid: str) -> tuple[str, ...]:
    """The lists that a feed key may sign."""
    return tuple(list_id for list_id, keys in feed_keys(targets).items() if any(key.keyid == keyid for key in keys))


def _covers(delegator: Root | Targets, file: RoleFile[Any]) -> bool:
    try:
        result = delegator.get_verification_result(file.role, file.metadata.signed_bytes, file.metadata.signatures)
    except ValueError:
        return False  # not delegated any more
    return bool(result.verified)


def _signed(file: RoleFile[Any], key: Key) -> bool:
    signature = file.metadata.signatures.get(key.keyid)
    if signature is None:
        return False
    try:
        key.verify_signature(signature, file.metadata.signed_bytes)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


def _without(keyids: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    return tuple(keyid for keyid in keyids if keyid not in others)
