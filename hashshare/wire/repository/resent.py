"""The hub's judgement over what a publisher sends again after the hub was restored from a backup. Pure, no I/O.

What lay between is lost, so versions may skip: only upwards, so it is no rollback. One role at a time: each root in
turn, since every one is signed by the one before; then targets; then major; then feeds. Nothing is signed over it
before `check_standing` finds that it fits together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from securesystemslib.signer import Key
from tuf.api.metadata import Root, Targets

from hashshare.wire.errors import BadSignature, MalformedMetadata, VersionConflict
from hashshare.wire.objects import LIST_ID
from hashshare.wire.repository import shapes
from hashshare.wire.repository.metadata import MAJOR, ROOT, TARGETS, RoleFile, S, read_typed
from hashshare.wire.repository.verification import (
    Commit,
    Trusted,
    check_bounded,
    check_delegations_kept,
    check_signed,
)


def verify_resent(trusted: Trusted, *, roles: Mapping[str, bytes], hub_keys: Sequence[Key], now: datetime) -> Commit:
    """Judge the one role in `roles` against `trusted`, like `verify_commit` but for the version, and for what expired
    meanwhile: it is served as it would have been. Raises the same.
    """
    if len(roles) != 1:
        raise MalformedMetadata("What is sent again comes one role at a time.")
    ((role, body),) = roles.items()
    if role == ROOT:
        return Commit(_root(trusted, body, now), None, {})
    if role == TARGETS:
        return Commit(None, _targets(trusted, body, hub_keys, now), {})
    if role == MAJOR:
        return Commit(None, None, {}, _major(trusted, body, now))
    if not LIST_ID.fullmatch(role):
        raise MalformedMetadata("A commit carries root, targets, major, or feed metadata by list id.")
    return Commit(None, None, {role: _feed(trusted, role, body, now)})


def check_standing(trusted: Trusted, *, hub_key: Key | None = None) -> None:
    """That what is accepted fits together: targets signed under the root, feeds and major under targets; and that the
    root names `hub_key`, which is to sign the rest. Raises BadSignature, MalformedMetadata.
    """
    root, targets = _accepted(ROOT, trusted.root, Root), _accepted(TARGETS, trusted.targets, Targets)
    check_signed(root.signed, targets)
    for role, body in sorted(trusted.feeds.items()):
        check_signed(targets.signed, read_typed(role, body, Targets))
    if trusted.major is not None:
        check_signed(targets.signed, read_typed(MAJOR, trusted.major, Targets))
    if hub_key is not None and hub_key.keyid not in root.signed.roles["timestamp"].keyids:
        raise BadSignature(
            "The publisher's root does not name the key with which this hub signs now.",
            next_step="The hub's operator replaces the key (manage.py replace_hub_key) by the standby that it names.",
            role=ROOT,
        )


def _root(trusted: Trusted, body: bytes, now: datetime) -> RoleFile[Root]:
    root = read_typed(ROOT, body, Root)
    previous = read_typed(ROOT, trusted.root, Root) if trusted.root is not None else None
    expected = previous.version + 1 if previous else 1
    if root.version != expected:
        raise _skipped(root, expected - 1, f"{expected} is next")
    shapes.check_root(root.signed, hub_keys=())
    if previous:
        check_signed(previous.signed, root)
    check_signed(root.signed, root)
    return _bounded(root, now)


def _targets(trusted: Trusted, body: bytes, hub_keys: Sequence[Key], now: datetime) -> RoleFile[Targets]:
    targets = read_typed(TARGETS, body, Targets)
    previous = read_typed(TARGETS, trusted.targets, Targets) if trusted.targets is not None else None
    _check_newer(targets, previous.version if previous else 0)
    shapes.check_targets(targets.signed, hub_keys=hub_keys)
    check_signed(_accepted(ROOT, trusted.root, Root).signed, targets)
    check_delegations_kept(previous, targets)
    return _bounded(targets, now)


def _feed(trusted: Trusted, list_id: str, body: bytes, now: datetime) -> RoleFile[Targets]:
    feed, targets = read_typed(list_id, body, Targets), _accepted(TARGETS, trusted.targets, Targets)
    if list_id not in shapes.delegated(targets.signed):
        raise MalformedMetadata(f"The targets role does not delegate {list_id}.", role=list_id)
    previous = trusted.feeds.get(list_id)
    _check_newer(feed, read_typed(list_id, previous, Targets).version if previous is not None else 0)
    check_signed(targets.signed, feed)
    shapes.check_feed(feed.signed, list_id=list_id)
    return _bounded(feed, now)


def _major(trusted: Trusted, body: bytes, now: datetime) -> RoleFile[Targets]:
    major, targets = read_typed(MAJOR, body, Targets), _accepted(TARGETS, trusted.targets, Targets)
    shapes.check_delegated_major(targets.signed)
    _check_newer(major, read_typed(MAJOR, trusted.major, Targets).version if trusted.major is not None else 0)
    check_signed(targets.signed, major)
    shapes.check_major(major.signed)
    return _bounded(major, now)


def _accepted(role: str, body: bytes | None, kind: type[S]) -> RoleFile[S]:
    if body is None:
        raise MalformedMetadata(f"The hub has no {role} metadata of this publisher yet; that comes first.", role=role)
    return read_typed(role, body, kind)


def _check_newer(file: RoleFile[Targets], current: int) -> None:
    if file.version <= current:
        raise _skipped(file, current, f"the hub has version {current}")


def _skipped(file: RoleFile[Root] | RoleFile[Targets], current: int, why: str) -> VersionConflict:
    message = f"The {file.role} metadata has version {file.version}; {why}."
    return VersionConflict(message, role=file.role, current=current, offered=file.version)


def _bounded(file: RoleFile[S], now: datetime) -> RoleFile[S]:
    check_bounded(file, now)
    return file
