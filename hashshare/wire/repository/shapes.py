"""What each role of a publisher's repository must look like, beyond what TUF itself asks. Signatures are not judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import Key
from tuf.api.metadata import DelegatedRole, Role, Root, TargetFile, Targets

from hashshare.wire import keys, limits
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.objects import LIST_ID, SHA256, ObjectRef, manifest_path
from hashshare.wire.repository.metadata import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, read_typed

MAX_LISTS: Final = 1_000
MAX_KEYS: Final = 64

KEY_KINDS: Final = frozenset({("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256")})
"""Key type and scheme: Ed25519, or ECDSA P-256 where an officer's hardware knows nothing else."""


def check_root(root: Root, *, hub_keys: Sequence[Key]) -> None:
    """Consistent snapshots; every hub key named for snapshot and timestamp, each of threshold 1, and for nothing else;
    officers' roles of keys that differ. Raises MalformedMetadata.
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


def check_targets(targets: Targets, *, hub_keys: Sequence[Key]) -> None:
    """No targets; a terminating delegation of threshold 1 per list id over `<id>/*` alone.

    Raises MalformedMetadata.
    """
    if targets.targets:
        _refuse(TARGETS, "The targets role signs targets of its own; it may only delegate.")
    delegations = targets.delegations
    if delegations is None or delegations.roles is None or len(delegations.roles) > MAX_LISTS:
        _refuse(TARGETS, f"The targets role does not delegate to at most {MAX_LISTS} named roles.")
    check_keys(TARGETS, delegations.keys.values())
    hub = {_identity(key) for key in hub_keys}
    if hub & {_identity(key) for key in delegations.keys.values()}:
        _refuse(TARGETS, "A list is delegated to the hub's own key.")
    for role in delegations.roles.values():
        _check_delegation(role)
        _check_role(TARGETS, role, delegations.keys)


def check_feed(feed: Targets, *, list_id: str) -> None:
    """One target, `<list_id>/manifest.json`, with one sha256; no delegations. Raises MalformedMetadata."""
    if feed.delegations is not None:
        _refuse(list_id, "A feed role may not delegate.")
    path = manifest_path(list_id)
    if list(feed.targets) != [path]:
        _refuse(list_id, f"A feed role signs {path} and no other target.")
    _check_target(feed.targets[path], list_id)


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
    return tuple(targets.delegations.roles or ()) if targets.delegations else ()


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


def _check_target(target: TargetFile, list_id: str) -> None:
    if type(target.length) is not int or not 1 <= target.length <= limits.MAX_MANIFEST:
        _refuse(list_id, f"The manifest's length is not within {limits.MAX_MANIFEST} bytes.")
    if list(target.hashes) != ["sha256"] or not _is_text(target.hashes["sha256"], SHA256):
        _refuse(list_id, "The manifest is not named by exactly one hash, sha256.")


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
