"""The hub's judgement over a commit: does the metadata that arrived follow from what is trusted? Pure, no I/O.

- A root needs the thresholds of the root before it and of its own; targets that of the current root; a feed, and the
  major role, that of the current targets.
- Every version is exactly one above the accepted one, so neither rollback nor fast-forward.
- A root brings in no key for snapshot and timestamp but the hub's own, and those of a standby hub that it names.
- Nothing that stands may be left hanging: targets that a new root no longer covers, or feeds and a major role that new
  targets no longer cover, must come signed anew in the same commit, and a delegation once made stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from securesystemslib.signer import Key
from tuf.api.metadata import Root, Targets

from hashshare.wire.errors import BadSignature, ExpiredMetadata, MalformedMetadata, VersionConflict
from hashshare.wire.objects import LIST_ID
from hashshare.wire.repository import shapes
from hashshare.wire.repository.metadata import MAJOR, ROOT, TARGETS, RoleFile, S, read_typed
from hashshare.wire.repository.standby_hub import check_no_hidden_keys

_LONGEST: Final = {
    ROOT: timedelta(days=3 * 366), TARGETS: timedelta(days=400), MAJOR: timedelta(days=3 * 366),
}  # fmt: skip
_LONGEST_FEED: Final = timedelta(days=92)


def longest_life(role: str) -> timedelta:
    """From its signing on, of a publisher's role; a list's id is that of its feed."""
    return _LONGEST.get(role, _LONGEST_FEED)


"""A feed that never expires would let a hostile hub freeze its list for ever."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the hub has accepted of a publisher: the latest root, targets, feed metadata by list id, major; as bytes."""

    root: bytes | None
    targets: bytes | None
    feeds: Mapping[str, bytes]
    major: bytes | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """The accepted metadata, None or absent where the commit carries none.

    It takes effect as root, targets, major, feeds.
    """

    root: RoleFile[Root] | None
    targets: RoleFile[Targets] | None
    feeds: Mapping[str, RoleFile[Targets]]
    major: RoleFile[Targets] | None = None


def verify_commit(trusted: Trusted, *, roles: Mapping[str, bytes], hub_keys: Sequence[Key], now: datetime) -> Commit:
    """Judge `roles` ("root", "targets", "major" or a list id -> metadata bytes) against `trusted`.

    Raises VersionConflict (facts: role, current, offered), BadSignature (role, have, need), ExpiredMetadata (role)
    or MalformedMetadata (role). Content, that is what the manifest names, is judged elsewhere.
    """
    feeds = {role: body for role, body in roles.items() if role not in (ROOT, TARGETS, MAJOR)}
    if not roles or not all(LIST_ID.fullmatch(role) for role in feeds):
        raise MalformedMetadata("A commit carries root, targets, major, or feed metadata by list id.")
    new_root = _new_root(trusted, roles.get(ROOT), hub_keys, now)
    root = new_root or _standing(ROOT, trusted.root, Root)
    _check_fresh(root, now)
    new_targets = _new_targets(trusted, roles.get(TARGETS), root, hub_keys, now)
    targets = new_targets or _standing(TARGETS, trusted.targets, Targets)
    if not new_targets:
        check_signed(root.signed, targets)
    if feeds or MAJOR in roles:
        _check_fresh(targets, now)
    new_major = _new_major(trusted, roles.get(MAJOR), targets, now)
    new_feeds = {role: _new_feed(trusted, role, body, targets, now) for role, body in feeds.items()}
    for role in trusted.feeds.keys() - new_feeds.keys():
        check_signed(targets.signed, read_typed(role, trusted.feeds[role], Targets))
    if trusted.major is not None and new_major is None:
        check_signed(targets.signed, read_typed(MAJOR, trusted.major, Targets))
    return Commit(new_root, new_targets, new_feeds, new_major)


def _new_root(trusted: Trusted, body: bytes | None, hub_keys: Sequence[Key], now: datetime) -> RoleFile[Root] | None:
    if body is None:
        return None
    root = read_typed(ROOT, body, Root)
    previous = read_typed(ROOT, trusted.root, Root) if trusted.root is not None else None
    _check_next(root, previous.version if previous else 0)
    shapes.check_root(root.signed, hub_keys=hub_keys)
    check_no_hidden_keys(root.signed, hub_keys=hub_keys, before=previous.signed if previous else None)
    if previous:
        check_signed(previous.signed, root)
    check_signed(root.signed, root)
    _check_life(root, now)
    return root


def _new_targets(
    trusted: Trusted, body: bytes | None, root: RoleFile[Root], hub_keys: Sequence[Key], now: datetime
) -> RoleFile[Targets] | None:
    if body is None:
        return None
    targets = read_typed(TARGETS, body, Targets)
    previous = read_typed(TARGETS, trusted.targets, Targets) if trusted.targets is not None else None
    _check_next(targets, previous.version if previous else 0)
    shapes.check_targets(targets.signed, hub_keys=hub_keys)
    check_signed(root.signed, targets)
    _check_life(targets, now)
    check_delegations_kept(previous, targets)
    return targets


def _new_major(
    trusted: Trusted, body: bytes | None, targets: RoleFile[Targets], now: datetime
) -> RoleFile[Targets] | None:
    if body is None:
        return None
    major = read_typed(MAJOR, body, Targets)
    if not shapes.delegates_major(targets.signed):
        raise MalformedMetadata("The targets role delegates no major role.", role=MAJOR)
    _check_next(major, read_typed(MAJOR, trusted.major, Targets).version if trusted.major is not None else 0)
    check_signed(targets.signed, major)
    _check_life(major, now)
    shapes.check_major(major.signed)
    return major


def _new_feed(
    trusted: Trusted, list_id: str, body: bytes, targets: RoleFile[Targets], now: datetime
) -> RoleFile[Targets]:
    feed = read_typed(list_id, body, Targets)
    if list_id not in shapes.delegated(targets.signed):
        raise MalformedMetadata(f"The targets role does not delegate {list_id}.", role=list_id)
    previous = trusted.feeds.get(list_id)
    _check_next(feed, read_typed(list_id, previous, Targets).version if previous is not None else 0)
    check_signed(targets.signed, feed)
    _check_life(feed, now)
    shapes.check_feed(feed.signed, list_id=list_id)
    return feed


def _standing(role: str, body: bytes | None, kind: type[S]) -> RoleFile[S]:
    if body is None:
        raise MalformedMetadata("A publisher's first commit carries both root and targets.", role=role)
    return read_typed(role, body, kind)


def check_delegations_kept(previous: RoleFile[Targets] | None, targets: RoleFile[Targets]) -> None:
    """That no role which was delegated before is gone. Raises MalformedMetadata."""
    if previous and not set(shapes.delegated(previous.signed)) <= set(shapes.delegated(targets.signed)):
        raise MalformedMetadata("A list's delegation was removed; a list is closed by its last manifest.", role=TARGETS)
    if previous and shapes.delegates_major(previous.signed) and not shapes.delegates_major(targets.signed):
        raise MalformedMetadata("The major role was removed; give it other keys instead.", role=TARGETS)


def _check_next(file: RoleFile[Root] | RoleFile[Targets], current: int) -> None:
    if file.version != current + 1:
        message = f"The {file.role} metadata has version {file.version}; {current + 1} is next."
        raise VersionConflict(message, role=file.role, current=current, offered=file.version)


def check_signed(delegator: Root | Targets, file: RoleFile[Root] | RoleFile[Targets]) -> None:
    """That enough of the keys that `delegator` names for the role have signed. Raises BadSignature."""
    metadata = file.metadata
    result = delegator.get_verification_result(file.role, metadata.signed_bytes, metadata.signatures)
    if not result.verified:
        have, need = len(result.signed), result.threshold
        message = f"The {file.role} metadata has {have} of {need} valid signatures of the keys that may sign it."
        raise BadSignature(message, role=file.role, have=have, need=need)


def _check_fresh(file: RoleFile[Root] | RoleFile[Targets], now: datetime) -> None:
    if file.signed.is_expired(now):
        raise ExpiredMetadata(f"The {file.role} metadata expired at {file.expires.isoformat()}.", role=file.role)


def _check_life(file: RoleFile[Root] | RoleFile[Targets], now: datetime) -> None:
    _check_fresh(file, now)
    check_bounded(file, now)


def check_bounded(file: RoleFile[Any], now: datetime) -> None:
    """That the metadata does not live longer than its role may. Raises MalformedMetadata."""
    longest = longest_life(file.role)
    if file.expires > now + longest:
        raise MalformedMetadata(f"The {file.role} metadata may live {longest.days} days at most.", role=file.role)
