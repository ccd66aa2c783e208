"""Exchanging officers' keys: one of this machine's, those of officers by their cards, or a trial's for officers.

A root names the new keys and is signed by the old threshold and the new one. Where keys for targets go, those who stay
sign targets anew beside it, and the major role, whose keys are the officers' own, goes with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from securesystemslib.signer import Key

from hashshare.client import keyring
from hashshare.client.desk import OFFICERS, Desk, Rotated, Stands
from hashshare.client.repository import Repository
from hashshare.wire.errors import UsageError
from hashshare.wire.repository import delegate_major, next_root, read_role, renew_targets, sign_major
from hashshare.wire.repository.cards import OfficerCard
from hashshare.wire.repository.metadata import MAJOR, MAJOR_THRESHOLD
from hashshare.wire.repository.requests import Officer
from hashshare.wire.repository.rotation import major_keys, officer_keys, with_replaced, without_key

Exchange = Mapping[str, Sequence[tuple[str, Key | None]]]
"""By role ("root", "targets"): the key id that goes, and the key that comes, None for none."""


def rotate_own(desk: Desk, role: str, *, uri: str = "") -> Rotated:
    """A new "root" or "targets" key, made here or named by `uri`, in the place of the one that is here."""

    def rotate() -> Rotated:
        stands, taken = desk.stands()
        if role in taken:
            return desk.finished(taken[role])
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


def rotate_officers(desk: Desk, changes: Exchange, *, officers: Sequence[Officer] = ()) -> Rotated:
    """Officers' keys replaced by others', or by none.

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
            return desk.nothing()
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
        return desk.rotated(tuple(sorted(before - after)), tuple(sorted(after - before)), proposed)

    return desk.locked(give)


def _thresholds(root: bytes) -> set[int]:
    roles = read_role("root", root).signed.roles
    return {roles[role].threshold for role in OFFICERS}


def _replace(
    desk: Desk,
    stands: Stands,
    changes: Exchange,
    officers: Sequence[Officer] = (),
) -> Rotated:
    root = stands.root
    keys = {role: list(officer_keys(root, role)) for role in OFFICERS}
    due = {role: [pair for pair in pairs if not _is_done(keys[role], *pair)] for role, pairs in changes.items()}
    if not any(due.values()):
        return desk.nothing()
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
    return desk.rotated(removed, added, desk.propose(roles, stands, officers, major))


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
    standing_major = Repository(desk.mine.home, desk.session, desk.mine.domain).standing_major()
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
