"""Which keys of the root an officer's name or a key id stands for, and which of a new card take their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from securesystemslib.signer import Key

from hashshare.client.ceremony import kept_cards
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
    """Role -> key id of an officer whose card is here, or of the key ids that begin so."""
    stands, _ = desk.stands()
    standing = {role: [key.keyid for key in officer_keys(stands.root, role)] for role in roles}
    named = _carded(desk, who) or {
        role: keyid for role, keyids in standing.items() for keyid in keyids if _begins(keyid, who)
    }
    found = {role: keyid for role, keyid in named.items() if keyid in standing.get(role, ())}
    if not found:
        known = ", ".join(card.name for card in kept_cards(desk.mine)) or "no officer's card is here"
        raise UsageError(
            f"No key of {desk.mine.domain} that signs now belongs to {who!r} ({known}).",
            next_step="Name one officer as above, or a key id by at least eight of its first digits.",
        )
    return found


def _carded(desk: Desk, who: str) -> dict[str, str]:
    """Both key ids of the officer of that name, or one of whose key ids begins so; nothing without a card.

    One word of a name will do where a single officer has it.
    """
    cards = kept_cards(desk.mine)
    both = {card.name.casefold(): {"root": card.root.keyid, "targets": card.targets.keyid} for card in cards}
    if who.casefold() in both:
        return both[who.casefold()]
    for pair in both.values():
        if any(_begins(keyid, who) for keyid in pair.values()):
            return pair
    called = [pair for name, pair in both.items() if who.casefold() in name.split()]
    return called[0] if len(called) == 1 else {}


def _begins(keyid: str, text: str) -> bool:
    return len(text) >= LEAST and keyid.startswith(text.lower())
