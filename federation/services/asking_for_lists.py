"""Asking a peer for one of its lists, for the members of this hub: its publisher there decides, as on any member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from federation import policy as rules
from federation.models import Peer
from federation.selectors.crossing import judge_taking
from federation.services.connections import session_with
from hashshare.client.session import Session
from hashshare.client.subscribe import list_detail, request_subscription
from hashshare.wire import errors
from hashshare.wire.documents import Fields
from hashshare.wire.manifest import Redistribution


@dataclass(frozen=True, slots=True)
class Asked:
    """`terms` and their digest as the peer shows them; `state` of this hub's subscription there, "" before it asked.
    `why_not`: what the peer says of the policy, and this hub's own agreements, are against it; "" if they are not.
    """

    name: str
    terms: str
    terms_digest: str
    state: str
    why_not: str


def look_at_list(*, peer: Peer, name: str, now: datetime, session: Session | None = None) -> Asked:
    """Nothing is asked for. Raises NotAPeer, NotEntitled (no such list, or not for this hub), NetworkError."""
    detail = list_detail(session or session_with(peer), name)
    subscription = detail.get("subscription")
    state = str(subscription.get("state", "")) if isinstance(subscription, Mapping) else ""
    verdict = _verdict(peer, name, detail, now)
    why = verdict.reason if isinstance(verdict, rules.Failure) else ""
    return Asked(name, str(detail.get("terms", "")), str(detail["terms_digest"]), state, why)


def ask_for_list(*, peer: Peer, name: str, terms_digest: str, now: datetime, session: Session | None = None) -> Asked:
    """Accept the terms of that digest and ask. Raises what `look_at_list` does, NotRedistributed, TermsNotAccepted."""
    session = session or session_with(peer)
    seen = look_at_list(peer=peer, name=name, now=now, session=session)
    if seen.why_not:
        raise errors.NotRedistributed(seen.why_not, peer=peer.name, list=name)
    answer = request_subscription(session, name, terms_digest=terms_digest)
    return Asked(name, seen.terms, seen.terms_digest, str(answer.get("state", "requested")), "")


def _verdict(peer: Peer, name: str, detail: Mapping[str, Any], now: datetime) -> rules.Verdict:
    """By what the peer says of the policy: what is signed is seen, and judged, when the list has come."""
    said = Redistribution.read(
        Fields(detail.get("redistribution"), where="redistribution", error=errors.MalformedOffers)
    )
    return judge_taking(name, said, path=(peer.name,), peer=peer, now=now)
