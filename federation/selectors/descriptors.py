"""What this hub is to other hubs: its own descriptor, as a peer reads it."""

from __future__ import annotations

from datetime import datetime

from federation.documents import HubDescriptor
from hashshare.selectors.hub import descriptor


def own_descriptor(*, now: datetime) -> HubDescriptor:
    """With the fingerprint that this hub's operator reads out."""
    said = descriptor(now=now)
    return HubDescriptor(
        hub=said.hub,
        url=said.url,
        title=said.name,
        country=said.country,
        version=said.version,
        peer_key=said.peer_key,
        witness_key=said.witness_key,
        log_key=said.log_key,
    )
