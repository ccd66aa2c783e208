"""What the overview says of peers: another hub answers, none answers, one waits to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from federation.selectors.findings import findings
from federation.selectors.mirrors import alarmed
from federation.selectors.peers import NEW_WITNESS_KEY, PeerState, peer_states
from hashshare.admin import roles
from hashshare.admin.notices import Notice

MOST_NAMED: Final = 3


def notices(request: HttpRequest, now: datetime) -> list[Notice]:
    """For operators alone."""
    if not roles.is_operator(request):
        return []
    states = peer_states(now=now)
    stopped = _of_mirrors() if any(state.stopped for state in states) else ()
    return [*_of_findings(), *stopped, *_notices(states)]


def _of_findings() -> Iterator[Notice]:
    """The first three by name; all stand in the table until somebody has settled them."""
    rows = list(findings()[: MOST_NAMED + 1])
    for row in rows[:MOST_NAMED]:
        address = reverse("admin:federation_finding_change", args=[row.pk])
        yield Notice(
            f"{row.peer} has to explain: {row.get_kind_display().lower()}, {row.subject}.", address, grave=True
        )
    if len(rows) > MOST_NAMED:
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
