"""Peers as they are read: how each stands, when it last answered, how far what is copied from it is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Min, Q, QuerySet

from federation.models import MirroredList, MirroredPublisher, Peer
from federation.models.peers import WITNESS_ALONE
from hashshare.models import Organisation
from hashshare.wire import errors

SILENT: Final = timedelta(hours=1)
"""After which a peer that does not answer is told of."""
MOST: Final = 500
REFUSALS: Final = (errors.NotAuthenticated.slug, errors.BadRequestSignature.slug)
REFUSES: Final = "That hub refuses this one: it may have suspended it, or know another key of it. Call its operator."
"""What REFUSALS mean between hubs; the hub that refuses tells a peer no more than a stranger."""


NEW_WITNESS_KEY: Final = "new witness key"
SAME_HUB: Final = Q(differs__isnull=True) | Q(differs__keys=WITNESS_ALONE)
"""Not `is_another`."""


@dataclass(frozen=True, slots=True)
class PeerState:
    """`state` in a word or two: introduced, active, suspended, ended, differs (another hub answers), new witness key
    (and all else as it was), silent (for an hour). `behind` of `lists` mirrored lists have something newer at the peer,
    the first since `behind_since`. `stopped`: how many of its publishers are not followed until somebody has looked.
    """

    peer: Peer
    state: str
    lists: int
    behind: int
    behind_since: datetime | None
    stopped: int = 0

    @property
    def trouble(self) -> str:
        """In a sentence or two, or nothing."""
        told = self.peer.trouble or self.peer.offers_trouble or {}
        refused = str(told.get("type", "")).rpartition("/")[2] in REFUSALS
        return f"{told.get('detail', '')} {REFUSES if refused else ''}".strip()

    def lag(self, now: datetime) -> float | None:
        """Seconds that the list which is furthest behind is behind; None when none is."""
        return None if self.behind_since is None else max(0.0, (now - self.behind_since).total_seconds())


def peer_by_name(*, name: str) -> Peer:
    """Raises NotFound."""
    found = Peer.objects.select_related("organisation").filter(name=name.strip().lower()).first()
    if found is None:
        raise errors.NotFound(f"No hub called {name[:80]} is known here.", next_step="See: manage.py peer list")
    return found


def peer_of(*, organisation: Organisation) -> Peer:
    """The peer that a caller of kind hub is. Raises NotAPeer unless it is active."""
    found = Peer.objects.select_related("organisation").filter(organisation=organisation).first()
    if found is None or not is_active(found):
        raise errors.NotAPeer
    return found


def peers_in_force() -> list[Peer]:
    """The active ones whose address shows the keys that were accepted, all of them, by name."""
    rows = (
        Peer.objects.filter(state=Peer.State.ACTIVE, differs__isnull=True)
        .select_related("organisation")
        .order_by("name")
    )
    return [peer for peer in rows if is_active(peer)]


def is_active(peer: Peer) -> bool:
    """Whether anything may pass between the hubs: neither the peer nor its organisation is suspended."""
    organisation = peer.organisation
    in_force = organisation is not None and organisation.state == Organisation.State.ACTIVE
    return peer.state == Peer.State.ACTIVE and in_force


def keeps_out(organisation: Organisation) -> str:
    """Why a suspended organisation is not let in again from its own page: what a peer is, is decided on the peer's."""
    peer = Peer.objects.filter(organisation=organisation).first()
    if peer is None:
        return ""
    return f"{organisation} is a hub: it is let in again as a peer (Peers, or manage.py peer resume {peer.name})."


def active_peers() -> QuerySet[Peer]:
    """Those of which something may be asked: active, and the hub that was accepted as far as we know."""
    rows = Peer.objects.filter(SAME_HUB, state=Peer.State.ACTIVE, organisation__state=Organisation.State.ACTIVE)
    return rows.select_related("organisation").order_by("name")


def watched_peers() -> QuerySet[Peer]:
    """Those whose address is looked at now and then: also where another hub answered last."""
    return Peer.objects.filter(state=Peer.State.ACTIVE).select_related("organisation").order_by("name")


def with_lag(rows: QuerySet[Peer]) -> QuerySet[Peer]:
    """Each with what `state_of` needs of its mirrors: one query, however many there are."""
    mine = Q(mirrors__lists__allowed=True)
    late = mine & Q(mirrors__lists__behind_since__isnull=False)
    return rows.select_related("organisation").annotate(
        lists=Count("mirrors__lists", filter=mine, distinct=True),
        behind=Count("mirrors__lists", filter=late, distinct=True),
        behind_since=Min("mirrors__lists__behind_since", filter=mine),
        stopped=Count("mirrors", filter=Q(mirrors__state=MirroredPublisher.State.ALARMED), distinct=True),
    )


def peer_states(*, now: datetime) -> list[PeerState]:
    """By name."""
    return [state_of(row, now=now) for row in with_lag(Peer.objects.all()).order_by("name")[:MOST]]


def peer_state(*, name: str, now: datetime) -> PeerState:
    """Raises NotFound."""
    return state_of(with_lag(Peer.objects.all()).get(pk=peer_by_name(name=name).pk), now=now)


def state_of(row: Any, *, now: datetime) -> PeerState:
    """Of a row of `with_lag`."""
    return PeerState(row, _word(row, now), row.lists, row.behind, row.behind_since, row.stopped)


def mirrored_lists(*, peer: Peer) -> QuerySet[MirroredList]:
    """With their publishers, those furthest behind first."""
    rows = MirroredList.objects.filter(mirror__peer=peer).select_related(
        "list__publisher", "mirror__publisher", "mirror__peer"
    )
    return rows.order_by("behind_since", "list")


def _word(peer: Peer, now: datetime) -> str:
    if peer.state == Peer.State.ACTIVE:
        if peer.organisation is not None and peer.organisation.state != Organisation.State.ACTIVE:
            return "suspended"
        if peer.is_another:
            return "differs"
        if now - (peer.reached_at or peer.accepted_at or peer.introduced_at) > SILENT:
            return "silent"
        if peer.differs is not None:
            return NEW_WITNESS_KEY
    return str(peer.state)
