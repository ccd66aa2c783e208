"""Replacing a publisher's keys: of its feeds, of its officers, and the hub's as its root names them.

Every rotation is proposed like any other change (client.ceremony): committed at once where the keys here suffice, else
written as a request for officers. A new key is made before anything is sent, the old one stays in use until the hub has
accepted the change, and a command that was killed anywhere is run again and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from securesystemslib.signer import Key

from hashshare.client import keyring, trust
from hashshare.client.ceremony import Proposed, Standing, propose, standing
from hashshare.client.commits import Watch
from hashshare.client.identity import hub_keys
from hashshare.client.publisher import AskPassphrase, OwnPublisher
from hashshare.client.session import Session
from hashshare.client.settling import await_other_release
from hashshare.client.signers import HeldKey
from hashshare.wire.errors import Conflict, UsageError
from hashshare.wire.repository import (
    delegate_lists,
    delegate_major,
    list_ids,
    next_root,
    read_role,
    renew_targets,
    sign_major,
)
from hashshare.wire.repository.cards import OfficerCard
from hashshare.wire.repository.metadata import MAJOR, MAJOR_THRESHOLD
from hashshare.wire.repository.requests import Officer
from hashshare.wire.repository.rotation import (
    lists_of_key,
    major_keys,
    officer_keys,
    with_feed_replaced,
    with_replaced,
    without_key,
)

Done = TypeVar("Done")

OFFICERS = ("root", "targets")
"""The roles whose keys the root names for people."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """`removed` and `added` are key ids, `lists` those of a feed key. `proposed` is None when nothing had to change.

    `retired` are the replaced private keys that are still on this machine, to be destroyed once `proposed` is accepted.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    proposed: Proposed | None
    lists: tuple[str, ...] = ()
    retired: tuple[HeldKey, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether officers have to sign before it takes effect."""
        return self.proposed is not None and self.proposed.path is not None


@dataclass(frozen=True, slots=True)
class Stands:
    """What the hub has accepted of a publisher that has begun; `root` is the newest."""

    standing: Standing
    root: bytes
    targets: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """Who rotates, and how: what every rotation needs. `urgent`: a key was stolen."""

    session: Session
    mine: OwnPublisher
    ask: AskPassphrase
    now: datetime
    watch: Watch | None = None
    urgent: bool = False

    def stands(self) -> tuple[Stands, dict[str, keyring.Taken]]:
        """What the hub has accepted, after every key that it names has taken its place here: by role, those that did
        just now, since an earlier run was killed before.
        """
        found = standing(self.session, self.mine)
        if not found.chain or found.targets is None:
            raise UsageError(
                f"{self.mine.domain} has no root yet.", next_step=f"Run: hashshare publisher init {self.mine.domain}"
            )
        taken = keyring.take_over(self.mine, root=found.chain[-1], targets=found.targets, now=self.now)
        return Stands(found, found.chain[-1], found.targets), {one.role: one for one in taken}

    def propose(
        self, roles: Mapping[str, bytes], stands: Stands, officers: Sequence[Officer] = (), major: bytes | None = None
    ) -> Proposed:
        """An urgent change takes the place of another that waits for officers. `major`: what stands of that role."""
        act = partial(
            propose,
            self.session,
            self.mine,
            roles,
            stands=stands.standing,
            ask=self.ask,
            now=self.now,
            officers=officers,
            major=major,
            watch=self.watch,
        )
        try:
            return act()
        except Conflict as conflict:
            if not self.urgent or conflict.facts.get("job"):
                raise
            return act(instead=True)

    def locked(self, act: Callable[[], Done]) -> Done:
        """Under the publisher's lock; again when a commit that was in the way has ended, ours of a killed run too."""
        with self.mine.home.lock(f"publisher-{self.mine.domain}"):
            try:
                return act()
            except Conflict as conflict:
                if not conflict.facts.get("job"):
                    raise
                await_other_release(self.session, conflict)
                return act()


def finish_rotation(session: Session, mine: OwnPublisher, *, now: datetime) -> None:
    """Let a new key take over whose run was killed after the hub had accepted it. Costs nothing where none waits.

    The caller holds no lock of a publication, which a rotation waits for.
    """
    if keyring.is_under_way(mine):
        with mine.home.lock(f"publisher-{mine.domain}"):
            stands = standing(session, mine)
            if stands.targets is not None:
                keyring.take_over(mine, root=stands.chain[-1], targets=stands.targets, now=now)


# --- feeds -------------------------------------------------------------------------------------------------------


def rotate_feed(desk: Desk, *, old: str | None = None, all_lists: bool = False, uri: str = "") -> Rotated:
    """A new feed key, made here, for every list that the key `old` may sign (the one in use here unless given), or for
    `all_lists`. Their releases are signed by it in the same commit, and the old key is out from that moment.

    Where the key here is not the one that goes, it takes over itself. `uri` names a new key in hardware.
    """

    def rotate() -> Rotated:
        stands, taken = desk.stands()
        if "feed" in taken:
            return _finished(desk, taken["feed"])
        targets, mine = stands.targets, keyring.key_here(desk.mine, "feed")
        if all_lists:
            others = {key.keyid for key in keyring.all_feed_keys(targets)} - {mine.keyid if mine else ""}
            lists, removed = list_ids(targets), tuple(sorted(others))
        else:
            lists, removed = _lists_of(desk, targets, old or (mine.keyid if mine else ""))
        new = mine if mine and mine.keyid not in removed else keyring.next_key(desk.mine, "feed", desk.ask, uri=uri)
        keys = with_feed_replaced(targets, new=new.public, lists=lists)
        if not keys:
            return _nothing(desk)
        roles = {"targets": delegate_lists(targets, keys=keys, signers=[], now=desk.now)}
        return _rotated(desk, removed, (new.keyid,), desk.propose(roles, stands), lists=tuple(keys))

    return desk.locked(rotate)


def _lists_of(desk: Desk, targets: bytes, keyid: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lists that the key signs, and the key. Raises UsageError when there is none."""
    domain = desk.mine.domain
    if not keyid:
        raise UsageError(
            f"The feed key of {domain} is not on this machine.", next_step=f"Run: hashshare publisher recover {domain}"
        )
    lists = lists_of_key(targets, keyid)
    if not lists:
        raise UsageError(f"The key {keyid[:16]}… signs no list of {domain}.")
    return lists, (keyid,)


# --- officers ----------------------------------------------------------------------------------------------------


def rotate_own(desk: Desk, role: str, *, uri: str = "") -> Rotated:
    """A new "root" or "targets" key, made here or named by `uri`, in the place of the one that is here."""

    def rotate() -> Rotated:
        stands, taken = desk.stands()
        if role in taken:
            return _finished(desk, taken[role])
        standing_key = keyring.key_here(desk.mine, role)
        if standing_key is None:
            raise UsageError(
                f"The {role} key of {desk.mine.domain} is not on this machine.",
                next_step="Run it where the key is; for a key that is lost, have its officer make a new card, then: "
                f"hashshare publisher rotate {role} {desk.mine.domain} --in-place-of KEYID --card FILE",
            )
        new = keyring.next_key(desk.mine, role, desk.ask, uri=uri)
        return _replace(desk, stands, {role: [(standing_key.keyid, new.public)]})

    return desk.locked(rotate)


def rotate_officers(
    desk: Desk, changes: Mapping[str, Sequence[tuple[str, Key | None]]], *, officers: Sequence[Officer] = ()
) -> Rotated:
    """Officers' keys replaced by others' (or by none): "root" and "targets" -> (key id, its successor) each.

    `officers` are what to call the holders. Raises UsageError for a key that does not stand, or when fewer keys would
    be left than have to sign.
    """
    return desk.locked(lambda: _replace(desk, desk.stands()[0], changes, officers))


def give_to_officers(desk: Desk, cards: Sequence[OfficerCard], *, threshold: int) -> Rotated:
    """Root and targets to the holders of `cards`, any `threshold` of whom sign from then on, in place of whoever did.

    Raises UsageError when there are fewer cards than have to sign.
    """

    def give() -> Rotated:
        stands, _ = desk.stands()
        before = {key.keyid for role in OFFICERS for key in officer_keys(stands.root, role)}
        after = {key.keyid for card in cards for key in (card.root, card.targets)}
        if before == after and _thresholds(stands.root) == {threshold}:
            return _nothing(desk)
        root = next_root(
            stands.root,
            root_keys=[card.root for card in cards],
            targets_keys=[card.targets for card in cards],
            threshold=threshold,
            targets_threshold=threshold,
            signers=[],
            now=desk.now,
        )
        given = [card.targets for card in cards], max(threshold, MAJOR_THRESHOLD)
        below, major = _targets_and_major(desk, stands, given if major_keys(stands.targets) else None)
        proposed = desk.propose({"root": root, **below}, stands, [card.officer for card in cards], major)
        return _rotated(desk, tuple(sorted(before - after)), tuple(sorted(after - before)), proposed)

    return desk.locked(give)


def _thresholds(root: bytes) -> set[int]:
    roles = read_role("root", root).signed.roles
    return {roles[role].threshold for role in OFFICERS}


def _replace(
    desk: Desk,
    stands: Stands,
    changes: Mapping[str, Sequence[tuple[str, Key | None]]],
    officers: Sequence[Officer] = (),
) -> Rotated:
    root = stands.root
    keys = {role: list(officer_keys(root, role)) for role in OFFICERS}
    due = {role: [pair for pair in pairs if not _is_done(keys[role], *pair)] for role, pairs in changes.items()}
    if not any(due.values()):
        return _nothing(desk)
    for role, pairs in due.items():
        for old, new in pairs:
            keys[role] = (
                without_key(keys[role], old=old) if new is None else with_replaced(keys[role], old=old, new=new)
            )
    for role, named in keys.items():
        _check_enough(desk, root, role, len(named))
    roles = {"root": next_root(root, root_keys=keys["root"], targets_keys=keys["targets"], signers=[], now=desk.now)}
    major = None
    if due.get("targets"):
        # Those who stay sign them anew, so that no signature of a key that went holds anything up.
        below, major = _targets_and_major(desk, stands, _exchanged_major(stands.targets, due["targets"]))
        roles |= below
    gone = [pair for pairs in due.values() for pair in pairs]
    removed = tuple(dict.fromkeys(old for old, _ in gone))
    added = tuple(dict.fromkeys(new.keyid for _, new in gone if new is not None))
    return _rotated(desk, removed, added, desk.propose(roles, stands, officers, major))


def _exchanged_major(targets: bytes, pairs: Sequence[tuple[str, Key | None]]) -> tuple[list[Key], int] | None:
    """The major role after its holders' targets keys were exchanged; None where that changes nothing."""
    given = major_keys(targets)
    if given is None:
        return None
    keys, threshold = list(given[0]), given[1]
    for old, new in pairs:
        if any(key.keyid == old for key in keys):
            keys = without_key(keys, old=old) if new is None else with_replaced(keys, old=old, new=new)
    return (keys, threshold) if [key.keyid for key in keys] != [key.keyid for key in given[0]] else None


def _targets_and_major(
    desk: Desk, stands: Stands, given: tuple[Sequence[Key], int] | None
) -> tuple[dict[str, bytes], bytes | None]:
    """New targets, with the major role given to other keys if any are `given`, and what it signed for these to sign
    anew; and the major metadata that stands, if it comes anew.
    """
    if given is None:
        return {"targets": renew_targets(stands.targets, signers=[], now=desk.now)}, None
    keys, threshold = given
    roles = {"targets": delegate_major(stands.targets, keys=keys, threshold=threshold, signers=[], now=desk.now)}
    standing_major = trust.Repository(desk.mine.home, desk.session, desk.mine.domain).standing_major()
    if standing_major is not None:
        roles[MAJOR] = sign_major(standing_major, signers=[], now=desk.now)
    return roles, standing_major


def _check_enough(desk: Desk, root: bytes, role: str, left: int) -> None:
    threshold = read_role("root", root).signed.roles[role].threshold
    if left < threshold:
        raise UsageError(
            f"Without it {left} {role} keys are left, and {threshold} have to sign. Nothing was changed.",
            next_step="Give the --card of who follows; for this machine's own key: "
            f"hashshare publisher rotate {role} {desk.mine.domain}",
        )


def _is_done(keys: Sequence[Key], old: str, new: Key | None) -> bool:
    """Whether the exchange stands already, as when a command is run again."""
    keyids = {key.keyid for key in keys}
    return new is not None and new.keyid in keyids and old not in keyids


# --- the hub -----------------------------------------------------------------------------------------------------


def rotate_hub(desk: Desk) -> Rotated:
    """A root that names the keys which the hub has now, and no other: after it replaced its key or its standby."""

    def rotate() -> Rotated:
        stands, _ = desk.stands()
        root, now_keys = stands.root, hub_keys(desk.session)
        named = {key.keyid for role in ("snapshot", "timestamp") for key in officer_keys(root, role)}
        offered = {key.keyid for key in now_keys}
        if named == offered:
            return _nothing(desk)
        roles = {"root": next_root(root, hub_keys=now_keys, signers=[], now=desk.now)}
        removed, added = tuple(sorted(named - offered)), tuple(sorted(offered - named))
        return _rotated(desk, removed, added, desk.propose(roles, stands))

    return desk.locked(rotate)


def _rotated(
    desk: Desk, removed: tuple[str, ...], added: tuple[str, ...], proposed: Proposed, *, lists: tuple[str, ...] = ()
) -> Rotated:
    return Rotated(removed, added, proposed, lists, tuple(keyring.retired_keys(desk.mine)))


def _finished(desk: Desk, taken: keyring.Taken) -> Rotated:
    """An earlier run was killed after the hub had accepted its change."""
    removed = (taken.retired.keyid,) if taken.retired else ()
    return Rotated(removed, (taken.key.keyid,), None, (), tuple(keyring.retired_keys(desk.mine)))


def _nothing(desk: Desk) -> Rotated:
    return Rotated((), (), None, (), tuple(keyring.retired_keys(desk.mine)))
