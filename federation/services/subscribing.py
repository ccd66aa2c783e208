"""Asking for a peer's lists, as any organisation asks there: a person reads the terms and accepts them for this hub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from federation.models import Agreement, Peer
from federation.selectors.agreements import agreement_for, agreements_in_force
from federation.selectors.peers import peer_by_name
from federation.services.connections import session_with
from hashshare.client.home import split_list_name
from hashshare.client.subscribe import catalogue, list_detail, request_subscription
from hashshare.wire import errors


def offered_by(*, name: str) -> list[dict[str, Any]]:
    """The lists in the peer's catalogue, as it describes them. Raises NotFound, NotAPeer, NetworkError."""
    return catalogue(session_with(peer_by_name(name=name)))


def terms_of(*, name: str, list_name: str) -> dict[str, Any]:
    """One list with its terms, whose digest was checked. Raises as `offered_by`, UsageError, NotEntitled."""
    split_list_name(list_name)
    return list_detail(session_with(peer_by_name(name=name)), list_name)


def ask_for_list(*, name: str, list_name: str, terms_digest: str, now: datetime) -> Mapping[str, Any]:
    """Ask the peer for a list under terms that somebody has read; the subscription as the peer records it.

    Raises as `terms_of`, and Conflict while no agreement lets the list in: it would be granted and not be copied.
    """
    peer = peer_by_name(name=name)
    _check_agreed(peer, list_name, now)
    return request_subscription(session_with(peer), list_name, terms_digest=terms_digest)


def _check_agreed(peer: Peer, list_name: str, now: datetime) -> None:
    agreed = agreements_in_force(now=now).filter(peer=peer, direction=Agreement.Direction.IN)
    if agreement_for(agreed, *split_list_name(list_name)) is None:
        raise errors.Conflict(
            f"No agreement with {peer.name} lets {list_name} in; nothing was asked.",
            next_step=f"Agree first: manage.py peer agree {peer.name} in {list_name}",
        )
