"""The officers' cards that a hotline keeps, in HOME/publisher/<domain>/officers/: what its keys' holders are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hashshare.client.home import write_atomic
from hashshare.client.publisher import OwnPublisher
from hashshare.wire.repository.cards import OfficerCard, read_card
from hashshare.wire.repository.requests import Officer


def known_officers(mine: OwnPublisher) -> tuple[Officer, ...]:
    """What the holders of this publisher's keys are called here, from their cards."""
    return tuple(card.officer for card in kept_cards(mine))


def keep_cards(mine: OwnPublisher, cards: Sequence[OfficerCard]) -> None:
    """Officers by name. The card that a name had before stays beside the new one: its keys may stand still."""
    for card in cards:
        path = cards_folder(mine) / card.file_name
        if path.exists():
            before = read_card(path.read_bytes())
            if before.officer != card.officer:
                ids = f"{before.root.keyid[:12]}-{before.targets.keyid[:12]}"
                write_atomic(path.with_name(f"{ids}.card.json"), before.to_bytes())
        write_atomic(path, card.to_bytes())


def kept_cards(mine: OwnPublisher) -> list[OfficerCard]:
    return [read_card(path.read_bytes()) for path in sorted(cards_folder(mine).glob("*.card.json"))]


def cards_folder(mine: OwnPublisher) -> Path:
    """Where officers' cards are kept: what is put there gives them their names on this machine."""
    return mine.folder / "officers"
