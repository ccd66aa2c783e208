"""Asking a peer for one of its lists, for the members of this hub: its publisher there decides, as on any member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from federation import policy as rules
from federation.models import Peer
from federation.selectors.crossing import judge_taking
from federation.selectors.waiting import MOST, Waiting
from federation.services.connections import session_with
from hashshare.client.session import Session
from hashshare.client.subscribe import catalogue, list_detail, request_subscription
from hashshare.wire import errors
from hashshare.wire.documents import Fields
from hashshare.wire.manifest import Redistribution
from hashshare.wire.naming import Named, shown

MOST_NAME: Final = 320
"""Characters of a list's name."""


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
    """Nothing is asked for. Raises NotAPeer, NotEntitled (no such list, or not for this hub; with those that there
    are), NetworkError.
    """
    session = session or session_with(peer)
    try:
        detail = list_detail(session, name)
    except errors.NotEntitled as error:
        raise _not_shown(peer, name, session) from error
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


def asked_there(peer: Peer) -> list[Waiting]:
    """What this hub has asked the peer for, and the publisher there has not decided yet. Raises as `look_at_list`."""
    answer = session_with(peer).get_json("status")
    rows = answer.get("subscriptions") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list):
        raise errors.NetworkError(f"{peer.name} does not answer like a hashshare hub.")
    waiting = [row for row in rows if isinstance(row, Mapping) and row.get("state") == "requested"]
    try:
        said = [(str(row["list"])[:MOST_NAME], _moment(str(row["requested_at"]))) for row in waiting[:MOST]]
    except (KeyError, ValueError) as error:
        raise errors.NetworkError(f"{peer.name} does not answer like a hashshare hub.") from error
    return [Waiting("there", name, "", "this hub", since) for name, since in said]


def _moment(text: str) -> datetime:
    """Raises ValueError for what is no time with a zone."""
    if (moment := datetime.fromisoformat(text)).tzinfo is None:
        raise ValueError(text)
    return moment


def _not_shown(peer: Peer, name: str, session: Session) -> errors.NotEntitled:
    shows = [Named(str(row.get("name", ""))[:MOST_NAME]) for row in catalogue(session)]
    many = f"{len(shows):,} list{'s' if len(shows) != 1 else ''}"
    these = f"It shows {many}: {shown(shows)}. " if shows else "It shows none. "
    return errors.NotEntitled(
        f"{peer.name} shows this hub no list {name[:MOST_NAME]!r}. Nothing was asked for.",
        next_step=f"{these}With their titles: manage.py peer catalogue {peer.name}",
    )


def _verdict(peer: Peer, name: str, detail: Mapping[str, Any], now: datetime) -> rules.Verdict:
    """By what the peer says of the policy: what is signed is seen, and judged, when the list has come."""
    said = Redistribution.read(
        Fields(detail.get("redistribution"), where="redistribution", error=errors.MalformedOffers)
    )
    return judge_taking(name, said, path=(peer.name,), peer=peer, now=now)
