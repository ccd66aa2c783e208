"""Replacing a publisher's feed keys, and the hub's keys as its root names them.

A new key is made before anything is sent, the old one stays in use until the hub has accepted the change, and a command
that was killed anywhere is run again and goes on. Officers' keys are for `exchanging`.
"""

from __future__ import annotations

from datetime import datetime

from tuf.api.metadata import Root

from hashshare.client import keyring
from hashshare.client.desk import Desk, Rotated
from hashshare.client.identity import hub_keys
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session
from hashshare.client.standing import standing
from hashshare.wire.errors import UsageError
from hashshare.wire.repository import delegate_lists, list_ids, next_root, standby_hub
from hashshare.wire.repository.metadata import ROOT, read_typed
from hashshare.wire.repository.rotation import lists_of_key, with_feed_replaced
from hashshare.wire.repository.standby_hub import hub_key_ids


def finish_rotation(session: Session, mine: OwnPublisher, *, now: datetime) -> None:
    """Let a new key take over whose run was killed after the hub had accepted it. Costs nothing where none waits.

    The caller holds no lock of a publication, which a rotation waits for.
    """
    if keyring.is_under_way(mine):
        with mine.home.lock(f"publisher-{mine.domain}"):
            stands = standing(session, mine)
            if stands.targets is not None:
                keyring.take_over(mine, root=stands.chain[-1], targets=stands.targets, now=now)


def rotate_feed(desk: Desk, *, old: str | None = None, all_lists: bool = False, uri: str = "") -> Rotated:
    """A new feed key, made here, for every list that the key `old` may sign (the one in use here unless given), or for
    `all_lists`. Their releases are signed by it in the same commit, and the old key is out from that moment.

    Where the key here is not the one that goes, it takes over itself. `uri` names a new key in hardware.
    """

    def rotate() -> Rotated:
        stands, taken = desk.stands()
        if "feed" in taken:
            return desk.finished(taken["feed"])
        targets, mine = stands.targets, keyring.key_here(desk.mine, "feed")
        if all_lists:
            others = {key.keyid for key in keyring.all_feed_keys(targets)} - {mine.keyid if mine else ""}
            lists, removed = list_ids(targets), tuple(sorted(others))
        else:
            lists, removed = _lists_of(desk, targets, old or (mine.keyid if mine else ""))
        new = mine if mine and mine.keyid not in removed else keyring.next_key(desk.mine, "feed", desk.ask, uri=uri)
        keys = with_feed_replaced(targets, new=new.public, lists=lists)
        if not keys:
            return desk.nothing()
        roles = {"targets": delegate_lists(targets, keys=keys, signers=[], now=desk.now)}
        return desk.rotated(removed, (new.keyid,), desk.propose(roles, stands), lists=tuple(keys))

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


def rotate_hub(desk: Desk) -> Rotated:
    """A root that names the keys which the hub has now, and those of a standby hub if there is one, and no other: after
    the hub replaced its key or its standby, or after the publisher has moved to its standby hub.

    Works too where the hub's signatures verify under no key that the root names, or go back behind what a stolen key
    has signed: nothing but such a root mends that.
    """

    def rotate() -> Rotated:
        stands, _ = desk.stands(root_alone=True)
        root, now_keys = stands.root, hub_keys(desk.session)
        following = next_root(root, hub_keys=now_keys, signers=[], now=desk.now)
        named, offered = (hub_key_ids(read_typed(ROOT, body, Root).signed) for body in (root, following))
        if named == offered and standby_hub(root) == standby_hub(following):
            return desk.nothing()
        removed, added = tuple(sorted(named - offered)), tuple(sorted(offered - named))
        return desk.rotated(removed, added, desk.propose({"root": following}, stands))

    return desk.locked(rotate)
