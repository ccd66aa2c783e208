"""What each role of a publisher's repository must look like, beyond what TUF itself asks. Signatures are not judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import Key
from tuf.api.metadata import DelegatedRole, Delegations, Role, Root, TargetFile, Targets

from hashshare.wire import keys, limits
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.major import parse_major_path
from hashshare.wire.objects import LIST_ID, SHA256, ObjectRef, manifest_path
from hashshare.wire.repository.hosting import HOSTED
from hashshare.wire.repository.metadata import (
    MAJOR,
    MAJOR_PATHS,
    MAJOR_THRESHOLD,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    read_typed,
)
from hashshare.wire.repository.standby_hub import named_standby

MAX_LISTS: Final = 1_000
MAX_KEYS: Final = 64

KEY_KINDS: Final = frozenset({("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256")})
"""Key type and scheme: Ed25519, or ECDSA P-256 where an officer's hardware knows nothing else."""


def check_root(root: Root, *, hub_keys: Sequence[Key]) -> None:
    """Consistent snapshots; every hub key named for snapshot and timestamp, each of threshold 1, and for nothing else;
    officers' roles of keys that differ; a standby hub as it must be named, if one is. Raises MalformedMetadata.
    """
    if root.consistent_snapshot is not True:
        _refuse(ROOT, "The root does not ask for consistent snapshots.")
    check_keys(ROOT, root.keys.values())
    for name in (ROOT, TARGETS, SNAPSHOT, TIMESTAMP):
        _check_role(ROOT, root.roles[name], root.keys)
    online = {keyid for name in (SNAPSHOT, TIMESTAMP) for keyid in root.roles[name].keyids}
    if online & {keyid for name in (ROOT, TARGETS) for keyid in root.roles[name].keyids}:
        _refuse(ROOT, "A key signs both for the officers and for the hub.")
    for name in (SNAPSHOT, TIMESTAMP):
        role = root.roles[name]
        if role.threshold != 1 or not all(_names(role, root, key) for key in hub_keys):
            _refuse(ROOT, f"The root does not name each of this hub's keys, one of which suffices, for {name}.")
    named_standby(root)


def check_targets(targets: Targets, *, hub_keys: Sequence[Key]) -> None:
    """No targets; a terminating delegation of threshold 1 per list id over `<id>/*` alone. Before them, if at all, the
    major role: terminating too, of threshold two or more, and of keys that sign no list.

    Raises MalformedMetadata.
    """
    if targets.targets:
        _refuse(TARGETS, "The targets role signs targets of its own; it may only delegate.")
    delegations = targets.delegations
    if delegations is None or delegations.roles is None or len(_feeds(delegations)) > MAX_LISTS:
        _refuse(TARGETS, f"The targets role does not delegate to at most {MAX_LISTS} named roles.")
    check_keys(TARGETS, delegations.keys.values())
    hub = {_identity(key) for key in hub_keys}
    if hub & {_identity(key) for key in delegations.keys.values()}:
        _refuse(TARGETS, "A list is delegated to the hub's own key.")
    for role in delegations.roles.values():
        _check_role(TARGETS, role, delegations.keys)
    for role in _feeds(delegations):
        _check_delegation(role)
    if MAJOR in delegations.roles:
        _check_major_delegation(delegations)


def check_feed(feed: Targets, *, list_id: str) -> None:
    """One target, `<list_id>/manifest.json`, with one sha256; no delegations. Raises MalformedMetadata."""
    if feed.delegations is not None:
        _refuse(list_id, "A feed role may not delegate.")
    path = manifest_path(list_id)
    if list(feed.targets) != [path]:
        _refuse(list_id, f"A feed role signs {path} and no other target.")
    _check_target(feed.targets[path], list_id, limit=limits.MAX_MANIFEST)


def check_major(major: Targets) -> None:
    """Major documents alone, each with one sha256; no delegations. Raises MalformedMetadata."""
    if major.delegations is not None:
        _refuse(MAJOR, "The major role may not delegate.")
    if len(major.targets) > limits.MAX_MAJORS:
        _refuse(MAJOR, f"The major role names more than {limits.MAX_MAJORS} documents.")
    for path, target in major.targets.items():
        if parse_major_path(path) is None:
            _refuse(MAJOR, "The major role signs <list-id>/major-<version>.json and no other target.")
        _check_target(target, MAJOR, limit=limits.MAX_MAJOR)


def major_documents(major: bytes) -> dict[tuple[str, int], ObjectRef]:
    """The documents that the major role's metadata names, by list id and content version. Raises MalformedMetadata."""
    signed = read_typed(MAJOR, major, Targets).signed
    check_major(signed)
    refs = [ObjectRef(path, target.length, target.hashes["sha256"]) for path, target in signed.targets.items()]
    return {place: ref for ref in refs if (place := parse_major_path(ref.path))}


def feed_manifest(feed: bytes, *, list_id: str) -> ObjectRef:
    """The manifest that feed metadata names; its signature is not checked here. Raises MalformedMetadata."""
    signed = read_typed(list_id, feed, Targets).signed
    check_feed(signed, list_id=list_id)
    path = manifest_path(list_id)
    return ObjectRef(path, signed.targets[path].length, signed.targets[path].hashes["sha256"])


def list_ids(targets: bytes) -> tuple[str, ...]:
    """The lists that targets metadata delegates, in its order. Raises MalformedMetadata."""
    return delegated(read_typed(TARGETS, targets, Targets).signed)


def delegated(targets: Targets) -> tuple[str, ...]:
    """`list_ids` of metadata that was read already."""
    return tuple(role.name for role in _feeds(targets.delegations)) if targets.delegations else ()


def delegates_major(targets: Targets) -> bool:
    return targets.delegations is not None and MAJOR in (targets.delegations.roles or {})


def check_delegated_major(targets: Targets) -> None:
    """Raises MalformedMetadata unless the major role is as it should be, so that a feed cannot stand in for it."""
    if targets.delegations is None or not delegates_major(targets):
        _refuse(TARGETS, "The targets role delegates no major role.")
    check_keys(TARGETS, targets.delegations.keys.values())
    _check_major_delegation(targets.delegations)


def _feeds(delegations: Delegations) -> list[DelegatedRole]:
    return [role for name, role in (delegations.roles or {}).items() if name != MAJOR]


def check_keys(where: str, known: Iterable[Key]) -> None:
    """A public key under two key ids would count twice towards a threshold."""
    identities = [_identity(key) for key in known]
    if len(identities) > MAX_KEYS + MAX_LISTS or len(set(identities)) != len(identities):
        _refuse(where, "One public key is listed under two key ids.")
    for kind, scheme, public in identities:
        if (kind, scheme) not in KEY_KINDS:
            _refuse(where, f"Keys of kind {kind}, {scheme} are not accepted.")
        if not public:
            _refuse(where, "A key cannot be read.")
        if kind == "ed25519" and not _is_sound(public):
            _refuse(where, "A key is not a sound Ed25519 public key.")


def _is_sound(public: str) -> bool:
    try:
        raw = bytes.fromhex(public)
    except ValueError:
        return False
    return len(raw) == keys.PUBLIC_KEY_BYTES and public == raw.hex() and not keys.is_small_order(raw)


def _check_role(where: str, role: Role, known: dict[str, Key]) -> None:
    if type(role.threshold) is not int or role.threshold > len(role.keyids) or len(role.keyids) > MAX_KEYS:
        _refuse(where, "A role's threshold is above the number of its keys.")
    if not set(role.keyids) <= set(known):
        _refuse(where, "A role names a key that is not listed.")


def _check_delegation(role: DelegatedRole) -> None:
    if not _is_text(role.name, LIST_ID):
        _refuse(TARGETS, "A delegated role's name is not a list id.")
    if role.terminating is not True or role.threshold != 1 or role.paths != [f"{role.name}/*"]:
        _refuse(TARGETS, f"The delegation of {role.name} is not terminating, of threshold 1, over {role.name}/* alone.")
    if role.unrecognized_fields.get(HOSTED, True) is not True:
        _refuse(TARGETS, f"The delegation of {role.name} says something else than true of being hosted.")


def _check_major_delegation(delegations: Delegations) -> None:
    """Were it not the first, a feed's `<id>/*` would answer for its documents."""
    roles = delegations.roles or {}
    role = roles[MAJOR]
    if next(iter(roles)) != MAJOR or role.terminating is not True or role.paths != [MAJOR_PATHS]:
        _refuse(TARGETS, f"The delegation of {MAJOR} is not the first, terminating, over {MAJOR_PATHS} alone.")
    if role.threshold < MAJOR_THRESHOLD:
        _refuse(TARGETS, f"The major role asks for fewer than {MAJOR_THRESHOLD} signatures.")
    if set(role.keyids) & {keyid for feed in _feeds(delegations) for keyid in feed.keyids}:
        _refuse(TARGETS, "A key signs both a list's feed and majors; a stolen feed key must not count for a major.")


def _check_target(target: TargetFile, role: str, *, limit: int) -> None:
    what = "A major document" if role == MAJOR else "The manifest"
    if type(target.length) is not int or not 1 <= target.length <= limit:
        _refuse(role, f"{what}'s length is not within {limit} bytes.")
    if list(target.hashes) != ["sha256"] or not _is_text(target.hashes["sha256"], SHA256):
        _refuse(role, f"{what} is not named by exactly one hash, sha256.")


def _is_text(value: object, pattern: re.Pattern[str]) -> bool:
    """The library leaves some values of whatever JSON type they came in."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _names(role: Role, root: Root, key: Key) -> bool:
    return any(_identity(root.keys[keyid]) == _identity(key) for keyid in role.keyids)


def _identity(key: Key) -> tuple[str, str, str]:
    """Kind, scheme and the key itself, empty if it cannot be read, in one form however it is written: the lines of PEM
    text may break anywhere, and a point be given whole or compressed.
    """
    public = str(key.keyval.get("public"))
    return key.keytype, key.scheme, _in_one_form(public) if key.keytype == "ecdsa" else public


def _in_one_form(pem: str) -> str:
    try:
        return load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""


def _refuse(role: str, message: str) -> NoReturn:
    raise MalformedMetadata(message, role=role)
