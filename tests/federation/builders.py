"""Hubs North and South as this hub sees them: rows with real keys, compared and accepted as an operator would.

Nothing answers at their addresses; tests that need a hub that does start one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from federation.models import Agreement, Peer
from hashshare.models import Organisation, Publisher
from hashshare.selectors.callers import Caller
from hashshare.services.keys import add_key
from hashshare.wire import keys
from tests.builders import now
from tests.federation.identities import Identity


@dataclass
class Hub(Identity):
    """Another hub with its keys. `peer` is its row here, `party` what it acts as once it is accepted."""

    @property
    def peer(self) -> Peer:
        return Peer.objects.select_related("organisation").get(name=self.name)

    @property
    def organisation(self) -> Organisation:
        found = self.peer.organisation
        assert found is not None, f"{self.name} is not accepted"
        return found

    @property
    def caller(self) -> Caller:
        """As it signs its requests."""
        return Caller(self.organisation, "signature", keys.fingerprint_of(self.key))


def hub(name: str = "north.example", *, country: str = "SE", title: str = "North", url: str = "") -> Hub:
    """Not introduced yet; at `url`, or https:// and its name."""
    return Hub(name, country, title, url or f"https://{name}")


def introduced(made: Hub) -> Hub:
    """Its row, to be compared."""
    said = made.descriptor
    Peer.objects.create(
        name=said.hub,
        url=said.url,
        title=said.title,
        country=said.country,
        descriptor=made.document(),
        fingerprint=said.fingerprint,
        peer_key=said.peer_key,
        witness_key=said.witness_key,
        log_key=said.log_key,
    )
    return made


def accepted(made: Hub) -> Hub:
    """Introduced, and in force as an organisation of kind hub with its peer key."""
    peer = introduced(made).peer
    peer.organisation = Organisation.objects.create(
        slug=made.name.replace(".", "-").replace(":", "-"),
        name=made.name,
        kind=Organisation.Kind.HUB,
        country=made.country,
        state=Organisation.State.ACTIVE,
        named_since=now(),
    )
    add_key(organisation=peer.organisation, public_key=bytes(peer.peer_key), name="peer key", now=now())
    peer.state, peer.accepted_at = Peer.State.ACTIVE, now()
    peer.save()
    return made


def north(**facts: Any) -> Hub:
    """An accepted peer in Sweden."""
    return accepted(hub("north.example", **facts))


def south(**facts: Any) -> Hub:
    """An accepted peer in Portugal."""
    return accepted(hub("south.example", **{"country": "PT", "title": "South"} | facts))


def agreed(made: Hub, direction: str, publisher: str = "aurora.example", slug: str = "", **facts: Any) -> Agreement:
    """That a publisher's lists, or one of them, cross: `out` to the hub or `in` from it."""
    return Agreement.objects.create(peer=made.peer, direction=direction, publisher=publisher, slug=slug, **facts)


def mirrored_hotline(made: Hub, name: str = "Corona", domain: str = "corona.example") -> Organisation:
    """A hotline that is known here only because its publisher is copied from the hub."""
    hotline = Organisation.objects.create(
        slug=name.lower(),
        name=name,
        kind=Organisation.Kind.HOTLINE,
        country=made.country,
        state=Organisation.State.MIRRORED,
    )
    Publisher.objects.create(organisation=hotline, domain=domain, mirrored_from=made.organisation)
    return hotline
