"""Which standby hub a publisher's root names, as it was verified here last."""

from __future__ import annotations

from dataclasses import dataclass

from hashshare.client.home import Home
from hashshare.client.kept_metadata import kept_role
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.repository.metadata import ROOT
from hashshare.wire.repository.standby_hub import named_standby


@dataclass(frozen=True, slots=True)
class NamedStandby:
    """`hub` is "?" where the root says something that cannot be read: it is told all the same."""

    publisher: str
    hub: str

    def __str__(self) -> str:
        return f"{self.publisher} names a standby hub: {self.hub} may say what is newest when its own hub is dead."


def held_standby(home: Home, domain: str) -> NamedStandby | None:
    """None where none is named, or no root is held."""
    try:
        root = kept_role(home, domain, ROOT)
    except MalformedMetadata:
        return None
    try:
        found = named_standby(root)
    except MalformedMetadata:
        return NamedStandby(domain, "?")
    return None if found is None else NamedStandby(domain, found.hub)
