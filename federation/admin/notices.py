"""What the overview says of other hubs: who answers at their addresses, what they have to explain, what waits, lags or
is refused, and what ends soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from federation.models import Finding
from federation.selectors.attention import AHEAD, MOST_NAMED, attention
from federation.selectors.mirrors import alarmed
from federation.selectors.onward import open_member_requests
from federation.selectors.peers import NEW_WITNESS_KEY, PeerState, peer_states
from hashshare.admin import roles
from hashshare.admin.notices import Notice


def notices(request: HttpRequest, now: datetime) -> list[Notice]:
    """For operators; a hotline's analysts read what other hubs' members ask of them."""
    if not roles.is_operator(request):
        return list(_of_requests(request)) if roles.uploads(request) else []
    states = peer_states(now=now)
    stopped = _of_mirrors() if any(state.stopped for state in states) else ()
    waits = attention(now=now)
    return [*_of_findings(waits.get("findings", [])), *stopped, *_notices(states), *_of_what_waits(waits)]


def _of_requests(request: HttpRequest) -> Iterator[Notice]:
    number = open_member_requests(roles.own_organisation(request))
    if number:
        says = "1 member of another hub waits" if number == 1 else f"{number} members of other hubs wait"
        yield Notice(f"{says} for your decision on a request for a list.", _requests(), grave=False)


def _requests() -> str:
    return f"{reverse('admin:federation_memberrequest_changelist')}?state__exact=requested"


SAYS: Final = (
    ("refused", "Copies that were refused or failed more than once: {}.", "peer", True),
    ("closed", "Copies that are closed to members here: {}.", "peer", True),
    ("behind", "Copies that are behind what the peer has: {}.", "peer", False),
    ("untaken", "Reports that a peer did not take: {}.", "reportcursor", True),
    ("refused_from", "Reports of a peer that were refused here: {}.", "remotehub", True),
    ("requests", "Members of other hubs wait for a hotline's decision: {}.", "", False),
    ("ending", f"Agreements that end within {AHEAD.days} days: {{}}.", "agreement", False),
)
"""Kind, words, the table that has them all, and whether it is grave."""


def _of_what_waits(found: Mapping[str, list[str]]) -> Iterator[Notice]:
    for kind, says, table, grave in SAYS:
        names = found.get(kind, [])
        if names:
            more = " and more" if len(names) > MOST_NAMED else ""
            address = reverse(f"admin:federation_{table}_changelist") if table else _requests()
            yield Notice(says.format(", ".join(names[:MOST_NAMED]) + more), address, grave)


def _of_findings(found: list[str]) -> Iterator[Notice]:
    """The first three by name; all stand in the table until somebody has settled them."""
    for row in found[:MOST_NAMED]:
        kind, peer, pk, subject = row.split(" ", 3)
        address = reverse("admin:federation_finding_change", args=[pk])
        yield Notice(f"{peer} has to explain: {Finding.Kind(kind).label.lower()}, {subject}.", address, grave=True)
    if len(found) > MOST_NAMED:
        yield Notice("Peers have more to explain.", reverse("admin:federation_finding_changelist"), grave=True)


def _of_mirrors() -> Iterator[Notice]:
    """Publishers that are followed no longer until somebody has looked, the first three by name."""
    rows = list(alarmed()[: MOST_NAMED + 1])
    for row in rows[:MOST_NAMED]:
        why = (row.trouble or {}).get("title", "it has to be looked at").lower()
        text = f"{row.publisher} is not copied from {row.peer} any more: {why}. The last good state is served."
        yield Notice(text, reverse("admin:federation_peer_change", args=[row.peer.pk]), grave=True)
    if len(rows) > MOST_NAMED:
        yield Notice(
            "More publishers are not copied any more.", reverse("admin:federation_peer_changelist"), grave=True
        )


def _notices(states: list[PeerState]) -> Iterator[Notice]:
    for state in states:
        if state.state == "differs":
            text = f"Another hub answers at the address of {state.peer} than was accepted: nothing is taken from it."
            yield Notice(text, reverse("admin:federation_peer_change", args=[state.peer.pk]), grave=True)
    yield from _together(states, NEW_WITNESS_KEY, "with a new witness key, to be compared by voice", grave=False)
    yield from _together(states, "silent", "did not answer for an hour", grave=True)
    yield from _together(states, "introduced", "introduced and to be compared by voice", grave=False)


def _together(states: list[PeerState], word: str, says: str, *, grave: bool) -> Iterator[Notice]:
    names = [state.peer.name for state in states if state.state == word]
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        label = "Peers" if len(names) > 1 else "Peer"
        yield Notice(
            f"{label} {says}: {', '.join(names[:3])}{more}.", reverse("admin:federation_peer_changelist"), grave
        )
