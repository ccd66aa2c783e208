"""Lists whose feed key the hub keeps: given to it, and taken home again.

The hub offers a key; that it may sign the list is said by the publisher's targets, with `hosted` beside it.
"""

from __future__ import annotations

from hashshare.client import keyring
from hashshare.client.desk import Desk, Rotated, Stands
from hashshare.client.hosted_keys import offered_key
from hashshare.client.publisher import OwnList
from hashshare.client.standing import kept_standing
from hashshare.wire.errors import UsageError
from hashshare.wire.repository import delegate_list, hosted_lists
from hashshare.wire.repository.rotation import feed_keys


def host_list(desk: Desk, own: OwnList, *, new_key: bool = False) -> Rotated:
    """Give the list to a key that the hub keeps; on a list that is hosted already nothing changes, unless for a
    `new_key`. Raises UsageError when the targets do not delegate the list yet.
    """

    def host() -> Rotated:
        stands, _ = desk.stands()
        if own.list_id in hosted_lists(stands.targets) and not new_key:
            return desk.nothing()
        removed = _keys_of(stands, own)
        key = offered_key(desk.session, own)
        targets = delegate_list(stands.targets, list_id=own.list_id, keys=[key], signers=[], now=desk.now, hosted=True)
        proposed = desk.propose({"targets": targets}, stands)
        return desk.rotated(removed, (key.keyid,), proposed, lists=(own.list_id,))

    return desk.locked(host)


def unhost_list(desk: Desk, own: OwnList) -> Rotated:
    """Take the list home: from now on this machine's feed key signs it. Raises UsageError where there is none."""

    def unhost() -> Rotated:
        stands, _ = desk.stands()
        if own.list_id not in hosted_lists(stands.targets):
            return desk.nothing()
        key = keyring.key_here(desk.mine, "feed")
        if key is None:
            raise UsageError(
                f"There is no feed key of {desk.mine.domain} on this machine to take over.",
                next_step="Run it where the feed key is, or make one: hashshare publisher init, in a new home.",
            )
        removed = _keys_of(stands, own)
        targets = delegate_list(stands.targets, list_id=own.list_id, keys=[key.public], signers=[], now=desk.now)
        proposed = desk.propose({"targets": targets}, stands)
        return desk.rotated(removed, (key.keyid,), proposed, lists=(own.list_id,))

    return desk.locked(unhost)


def is_hosted(own: OwnList) -> bool:
    """By the targets as last verified here."""
    targets = kept_standing(own.publisher.home, own.publisher.domain).targets
    return targets is not None and own.list_id in hosted_lists(targets)


def refuse_hosted(own: OwnList) -> None:
    """Raises UsageError for a list that the hub signs."""
    if is_hosted(own):
        raise UsageError(
            f"The hub keeps the key of {own.name} and signs it; nothing was published.",
            next_step=f"Upload it in the browser, or take the list home: hashshare publisher list unhost {own.name}",
        )


def refuse_hosted_policy(own: OwnList) -> None:
    """The same for what no upload changes."""
    if is_hosted(own):
        name = own.name
        raise UsageError(
            f"The hub keeps the key of {name} and signs it, and no upload changes its policy; nothing was published.",
            next_step="Take the list home, say it there, and give it back: hashshare publisher list unhost "
            f"{name}; hashshare publisher list redistribution {name} ...; hashshare publisher list host {name}",
        )


def _keys_of(stands: Stands, own: OwnList) -> tuple[str, ...]:
    """Raises UsageError when the list is not delegated."""
    found = feed_keys(stands.targets).get(own.list_id)
    if found is None:
        raise UsageError(
            f"{own.name} has no role in the targets of {own.publisher.domain} yet.",
            next_step=f"Run: hashshare publisher list create {own.name} --hosted ...",
        )
    return tuple(key.keyid for key in found)
