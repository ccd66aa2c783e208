"""Which keys of the root an officer's name or a key id stands for, and which of a new card take their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securesystemslib.signer import Key

from hashshare.client.cards import kept_cards
from hashshare.client.desk import OFFICERS, Desk
from hashshare.client.exchanging import Exchange
from hashshare.wire.errors import UsageError
from hashshare.wire.repository.cards import OfficerCard
from hashshare.wire.repository.rotation import officer_keys

LEAST: Final = 8
"""Digits of a key id that are enough to name it."""


def exchanges(desk: Desk, pairs: Sequence[tuple[str, OfficerCard | None]], *, roles: Sequence[str]) -> Exchange:
    """For `exchanging.rotate_officers`: each of `pairs` is who goes, by name or key id, and the card of who comes.

    A key that both have is left alone. Raises UsageError for whom no key stands.
    """
    found: dict[str, list[tuple[str, Key | None]]] = {role: [] for role in OFFICERS}
    for who, card in pairs:
        for role, old in _keys_of(desk, who, roles).items():
            new = getattr(card, role) if card is not None else None
            if new is None or new.keyid != old:
                found[role].append((old, new))
    return found


def _keys_of(desk: Desk, who: str, roles: Sequence[str]) -> dict[str, str]:
    """Role -> the key id that stands there of an officer whose card is here, or that begins so."""
    stands, _ = desk.stands()
    standing = {role: [key.keyid for key in officer_keys(stands.root, role)] for role in roles}
    owned = _carded(desk, who)
    named = {role: [keyid for keyid in keyids if keyid in owned] for role, keyids in standing.items()}
    if not any(named.values()):
        named = {role: [keyid for keyid in keyids if _begins(keyid, who)] for role, keyids in standing.items()}
    if not any(named.values()):
        known = ", ".join(dict.fromkeys(card.name for card in kept_cards(desk.mine))) or "no officer's card is here"
        raise UsageError(
            f"No key of {desk.mine.domain} that signs now belongs to {who!r} ({known}).",
            next_step="Name one officer as above, or a key id by at least eight of its first digits.",
        )
    for role, keyids in named.items():
        if len(keyids) > 1:
            raise UsageError(
                f"Several {role} keys that sign now are {who!r}'s: {', '.join(keyid[:12] for keyid in keyids)}.",
                next_step="Name one key by its id.",
            )
    return {role: keyids[0] for role, keyids in named.items() if keyids}


def _carded(desk: Desk, who: str) -> set[str]:
    """The key ids of every card of that name, an older one included, and of each one of whose key ids begins so.

    One word of a name will do where the cards of a single name have it.
    """
    cards = [(card.name.casefold(), {card.root.keyid, card.targets.keyid}) for card in kept_cards(desk.mine)]
    text = who.casefold()
    found = [both for name, both in cards if name == text or any(_begins(keyid, who) for keyid in both)]
    called = {name for name, _ in cards if text in name.split()}
    if not found and len(called) == 1:
        found = [both for name, both in cards if name in called]
    return set().union(*found)


def _begins(keyid: str, text: str) -> bool:
    return len(text) >= LEAST and keyid.startswith(text.lower())
