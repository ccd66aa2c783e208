"""An officer's card: the public halves of the two keys that one person holds, to be given to the publisher. Pure.

A card travels openly; what makes it trusted is that its fingerprint was compared by another channel.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from securesystemslib.signer import Key, SSlibKey

from hashshare.wire import keys, limits
from hashshare.wire.documents import Fields, read_object, write_object
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.repository.requests import NAME, Officer
from hashshare.wire.repository.shapes import check_keys

FORMAT: Final = "hashshare-officer/1"
MOST_OFFICERS: Final = 20
"""More people than this hardly meet; metadata itself takes 64 keys a role."""

MAX_CARD: Final = 16 * limits.KIB


@dataclass(frozen=True, slots=True)
class OfficerCard:
    """`root` and `targets` are the public keys of one person."""

    name: str
    root: SSlibKey
    targets: SSlibKey

    @property
    def officer(self) -> Officer:
        return Officer(self.name, self.root.keyid, self.targets.keyid)

    @property
    def file_name(self) -> str:
        """Of plain letters: `Carol Díaz` is carol-diaz.card.json."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode().lower()
        return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-') or self.root.keyid[:8]}.card.json"

    def to_bytes(self) -> bytes:
        document: dict[str, Any] = {"format": FORMAT, "name": self.name}
        for role, key in (("root", self.root), ("targets", self.targets)):
            document[role] = {"keyid": key.keyid, **key.to_dict()}
        return write_object({**document, "fingerprint": card_fingerprint(self.officer)})


def card_fingerprint(officer: Officer) -> str:
    """Hex SHA-256 that stands for both keys of an officer, whatever the name."""
    return hashlib.sha256(f"{FORMAT}\n{officer.root}\n{officer.targets}\n".encode()).hexdigest()


def read_card(body: bytes) -> OfficerCard:
    """Raises MalformedMetadata for anything but a card of two different keys of kinds that hubs accept."""
    document = Fields(
        read_object(body, limit=MAX_CARD, error=MalformedMetadata, what="officer's card"),
        where="officer's card",
        error=MalformedMetadata,
    )
    if document.text("format") != FORMAT:
        document.fail(f"format is not {FORMAT}")
    card = OfficerCard(document.text("name", pattern=NAME), _key(document, "root"), _key(document, "targets"))
    check_keys("officer's card", [card.root, card.targets])
    if document.text("fingerprint") != card_fingerprint(card.officer):
        document.fail("fingerprint is not that of its keys")
    return card


def _key(document: Fields, name: str) -> SSlibKey:
    fields = document.nested(name)
    keyid = fields.text("keyid", limit=64)
    try:
        key: Key | None = Key.from_dict(keyid, dict(fields.rest))
    except (KeyError, TypeError, ValueError, AttributeError):
        key = None
    if not isinstance(key, SSlibKey) or key.unrecognized_fields or keys.key_id(key) != keyid:
        fields.fail("is not a public key under its own id")
    return key
