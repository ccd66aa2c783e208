"""What a hotline's officers and its feed sign: root, targets with its delegations, and releases.

Every function takes what stands, returns the bytes of what follows, and signs with each of `signers`. Where the
threshold needs officers who are elsewhere, they add theirs with `add_signature` before the commit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Role, Root, TargetFile, Targets

from hashshare.wire import limits
from hashshare.wire.errors import HashshareError, UsageError
from hashshare.wire.major import Major, major_path, parse_major_path
from hashshare.wire.objects import LIST_ID, ObjectRef, manifest_path
from hashshare.wire.repository.hosting import hosting_fields
from hashshare.wire.repository.metadata import (
    FEED_LIFE,
    MAJOR,
    MAJOR_LIFE,
    MAJOR_PATHS,
    MAJOR_THRESHOLD,
    ROOT,
    ROOT_LIFE,
    SNAPSHOT,
    TARGETS,
    TARGETS_LIFE,
    TIMESTAMP,
    S,
    read_typed,
    write_metadata,
)
from hashshare.wire.repository.standby_hub import (
    STANDBY_HUB,
    StandbyHub,
    following_standby,
    named_standby,
    standby_field,
)


def create_root(
    *,
    root_keys: Sequence[Key],
    targets_keys: Sequence[Key],
    hub_keys: Sequence[Key],
    threshold: int = 1,
    targets_threshold: int | None = None,
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = ROOT_LIFE,
) -> bytes:
    """Root metadata version 1. `hub_keys` are the hub's two, in use and standby; snapshot and timestamp need one.

    `targets_threshold` is `threshold` unless given. Raises UsageError when there are fewer keys than a threshold.
    """
    root = Root(expires=_until(now, life), consistent_snapshot=True)
    _assign(root, ROOT, root_keys, threshold)
    _assign(root, TARGETS, targets_keys, threshold if targets_threshold is None else targets_threshold)
    _assign(root, SNAPSHOT, hub_keys, 1)
    _assign(root, TIMESTAMP, hub_keys, 1)
    return _sign(Metadata(root), signers)


def next_root(
    root: bytes,
    *,
    root_keys: Sequence[Key] | None = None,
    targets_keys: Sequence[Key] | None = None,
    hub_keys: Sequence[Key] | None = None,
    standby_hub: StandbyHub | None = None,
    threshold: int | None = None,
    targets_threshold: int | None = None,
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = ROOT_LIFE,
) -> bytes:
    """The root after `root`: what is given replaces, what is None stays; with nothing given, a renewal.

    `hub_keys` are those of the hub itself; a `standby_hub` without keys means none any more. To be accepted the root
    needs the threshold of the old root keys and that of the new ones (TUF specification 5.3.4).
    """
    signed = read_typed(ROOT, root, Root).signed
    signed.version, signed.expires = signed.version + 1, _until(now, life)
    for role, keys, limit in (
        (ROOT, root_keys, threshold),
        (TARGETS, targets_keys, targets_threshold),
    ):
        if keys is not None or limit is not None:
            standing = signed.roles[role]
            kept = [signed.keys[keyid] for keyid in standing.keyids]
            _assign(signed, role, kept if keys is None else keys, standing.threshold if limit is None else limit)
    if hub_keys is not None or standby_hub is not None:
        _assign_hubs(signed, hub_keys, standby_hub)
    return _sign(Metadata(signed), signers)


def _assign_hubs(root: Root, hub_keys: Sequence[Key] | None, chosen: StandbyHub | None) -> None:
    """Snapshot and timestamp for the hub's own keys and, beside them, its standby hub's."""
    standing = named_standby(root)
    spare = set(standing.keyids if standing else ())
    own = hub_keys or [root.keys[keyid] for keyid in root.roles[TIMESTAMP].keyids if keyid not in spare]
    standby = following_standby(standing, chosen, [key.keyid for key in own])
    for role in (SNAPSHOT, TIMESTAMP):
        _assign(root, role, [*own, *(standby.keys if standby else ())], 1)
    root.unrecognized_fields.pop(STANDBY_HUB, None)
    root.unrecognized_fields.update(standby_field(standby))


def create_targets(*, signers: Iterable[Signer], now: datetime, life: timedelta = TARGETS_LIFE) -> bytes:
    """Targets metadata version 1: no targets and, so far, no delegations."""
    targets = Targets(expires=_until(now, life), delegations=Delegations({}, {}))
    return _sign(Metadata(targets), signers)


def delegate_list(
    targets: bytes,
    *,
    list_id: str,
    keys: Sequence[Key],
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = TARGETS_LIFE,
    amend: bool = False,
    hosted: bool = False,
) -> bytes:
    """The targets metadata after `targets`, with the list's feed role given to `keys`, any one of which may sign.

    A list that is there already has its keys replaced: the feed must then be signed anew and committed together.
    `amend`: in place of `targets`, which nobody has accepted yet, under the same version. `hosted`: the key is one that
    the hub keeps, which members shall see.
    """
    given, of_hub = {list_id: keys}, [list_id] if hosted else []
    return delegate_lists(targets, keys=given, signers=signers, now=now, life=life, amend=amend, hosted=of_hub)


def delegate_lists(
    targets: bytes,
    *,
    keys: Mapping[str, Sequence[Key]],
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = TARGETS_LIFE,
    amend: bool = False,
    hosted: Collection[str] = (),
) -> bytes:
    """`delegate_list` for several lists (list id -> keys) in one version; those not named stay as they are."""
    signed = _following(targets, now, life)
    signed.version -= amend
    delegations = signed.delegations or Delegations({}, {})
    roles = dict(delegations.roles or {})
    for list_id, given in keys.items():
        if not LIST_ID.fullmatch(list_id) or not given:
            raise UsageError("A list id is 16 lower-case hex digits, and a feed role has at least one key.")
        told = hosting_fields(list_id, hosted)
        roles[list_id] = DelegatedRole(
            list_id, [key.keyid for key in given], 1, True, paths=[f"{list_id}/*"], unrecognized_fields=told
        )
    signed.delegations = _delegating(delegations, [key for given in keys.values() for key in given], roles)
    return _sign(Metadata(signed), signers)


def delegate_major(
    targets: bytes,
    *,
    keys: Sequence[Key],
    threshold: int = MAJOR_THRESHOLD,
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = TARGETS_LIFE,
) -> bytes:
    """The targets metadata after `targets`, with the publisher's major role given to `keys`.

    It comes first and is terminating, so that no feed is ever asked for a major document. Where it is there already
    its keys are replaced: what it signed must then be signed anew and committed together.
    """
    if not MAJOR_THRESHOLD <= threshold <= len(keys):
        raise UsageError(f"The major role has a threshold of at least {MAJOR_THRESHOLD}, and as many keys.")
    signed = _following(targets, now, life)
    delegations = signed.delegations or Delegations({}, {})
    role = DelegatedRole(MAJOR, [key.keyid for key in keys], threshold, True, paths=[MAJOR_PATHS])
    feeds = {name: feed for name, feed in (delegations.roles or {}).items() if name != MAJOR}
    signed.delegations = _delegating(delegations, keys, {MAJOR: role, **feeds})
    return _sign(Metadata(signed), signers)


def renew_targets(targets: bytes, *, signers: Iterable[Signer], now: datetime, life: timedelta = TARGETS_LIFE) -> bytes:
    """The same delegations under the next version and a new expiry."""
    return _sign(Metadata(_following(targets, now, life)), signers)


def sign_release(
    *,
    list_id: str,
    manifest: bytes,
    version: int,
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = FEED_LIFE,
) -> bytes:
    """Feed metadata `version` (the role's number, one above the last accepted) naming `manifest`.

    The same manifest under the next version is a refresh: it renews the expiry and releases nothing.
    """
    reference = ObjectRef.of(manifest_path(list_id), manifest)
    target = TargetFile(reference.length, {"sha256": reference.sha256}, reference.path)
    feed = Targets(version=version, expires=_until(now, life), targets={reference.path: target})
    return _sign(Metadata(feed), signers)


def renew_feed(
    feed: bytes, *, list_id: str, signers: Iterable[Signer], now: datetime, life: timedelta = FEED_LIFE
) -> bytes:
    """The same release under the next role version, as for a key that takes the place of another."""
    signed = read_typed(list_id, feed, Targets).signed
    signed.version, signed.expires = signed.version + 1, _until(now, life)
    return _sign(Metadata(signed), signers)


def sign_major(
    major: bytes | None,
    *,
    documents: Iterable[Major] = (),
    signers: Iterable[Signer],
    now: datetime,
    life: timedelta = MAJOR_LIFE,
    above: int = 0,
) -> bytes:
    """The major role's metadata after `major` (None for the first) with `documents` added; without any, a renewal.

    `above`: a later version than this, where those up to it were lost after members had seen them.
    Older ones stay for members that were away; of more than limits.MAX_MAJORS the oldest of the longest list go.
    """
    standing = read_typed(MAJOR, major, Targets).signed if major is not None else None
    targets = dict(standing.targets) if standing else {}
    for document in documents:
        targets[document.path] = document.ref.to_target()
    while len(targets) > limits.MAX_MAJORS:
        del targets[_oldest_major(targets)]
    version = max(standing.version if standing else 0, above) + 1
    return _sign(Metadata(Targets(version=version, expires=_until(now, life), targets=targets)), signers)


def _oldest_major(targets: Collection[str]) -> str:
    """The path of the lowest version of the list that has the most."""
    found = [parse_major_path(path) or ("", 0) for path in targets]
    most, _ = Counter(list_id for list_id, _ in found).most_common(1)[0]
    return major_path(most, version=min(version for list_id, version in found if list_id == most))


def add_signature(role: str, body: bytes, *, signer: Signer) -> bytes:
    """The same metadata with one more officer's signature; what is signed stays as it is."""
    if role == ROOT:
        return _sign(read_typed(role, body, Root).metadata, [signer])
    return _sign(read_typed(role, body, Targets).metadata, [signer])


def _assign(root: Root, role: str, keys: Sequence[Key], threshold: int) -> None:
    """Give `role` exactly these keys, and forget keys that no role uses any more."""
    if not 1 <= threshold <= len({key.keyid for key in keys}):
        raise UsageError(f"The {role} role needs {threshold} signatures of {len(keys)} keys.")
    root.roles[role] = Role([key.keyid for key in keys], threshold)
    root.keys.update({key.keyid: key for key in keys})
    used = {keyid for standing in root.roles.values() for keyid in standing.keyids}
    root.keys = {keyid: key for keyid, key in root.keys.items() if keyid in used}


def _delegating(before: Delegations, keys: Sequence[Key], roles: dict[str, DelegatedRole]) -> Delegations:
    """`roles` with the keys that they use, of those known before and `keys`."""
    used = {keyid for role in roles.values() for keyid in role.keyids}
    known = {**before.keys, **{key.keyid: key for key in keys}}
    return Delegations({keyid: key for keyid, key in known.items() if keyid in used}, roles)


def _following(targets: bytes, now: datetime, life: timedelta) -> Targets:
    signed = read_typed(TARGETS, targets, Targets).signed
    signed.version, signed.expires = signed.version + 1, _until(now, life)
    return signed


def _until(now: datetime, life: timedelta) -> datetime:
    return (now + life).replace(microsecond=0)


def _sign(metadata: Metadata[S], signers: Iterable[Signer]) -> bytes:
    for signer in signers:
        try:
            metadata.sign(signer, append=True)
        except UnsignedMetadataError as error:
            if isinstance(error.__cause__, HashshareError):
                raise error.__cause__ from None
            raise
    return write_metadata(metadata)
