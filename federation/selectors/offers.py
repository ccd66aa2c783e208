"""What this hub offers to a peer: what may cross to it at this moment, and nothing of what came through it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from federation.models import Agreement, MirroredPublisher, Peer
from federation.offers import OfferedList, OfferedPublisher
from federation.selectors.agreements import agreement_for, in_force
from hashshare.models import HashList, Publisher
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import readable_lists
from hashshare.wire import errors


def peer_of(caller: Caller) -> Peer:
    """The active peer that calls. Raises NotAPeer."""
    found = Peer.objects.filter(organisation=caller.organisation, state=Peer.State.ACTIVE).first()
    if found is None:
        raise errors.NotAPeer("This is for hubs that are accepted here as peers.")
    return found


def offers_to(*, caller: Caller, now: datetime) -> list[OfferedPublisher]:
    """By domain, each publisher's lists by name. Raises NotAPeer."""
    peer = peer_of(caller)
    agreements = list(in_force(peer, Agreement.Direction.OUT, now))
    rows = readable_lists(caller=caller, now=now).filter(role_version__gt=0, publisher__sandbox=False)
    rows = rows.select_related("publisher__organisation", "publisher__mirror__peer").order_by(
        "publisher__domain", "slug"
    )
    found: dict[Publisher, list[OfferedList]] = defaultdict(list)
    for row in rows:
        agreed = agreement_for(agreements, row.publisher.domain, row.slug)
        if agreed is not None and may_go(row, peer):
            found[row.publisher].append(_offered(row, agreed))
    return [_publisher(publisher, lists) for publisher, lists in found.items()]


def may_go(hash_list: HashList, peer: Peer) -> bool:
    """Whether the peer may be given it. The one place where the rules of crossing are asked on the side that gives."""
    return peer.name not in path_of(hash_list.publisher)[:-1]


def path_of(publisher: Publisher) -> tuple[str, ...]:
    """The hubs from the publisher's home to this one, both included."""
    mirror: MirroredPublisher | None = getattr(publisher, "mirror", None)
    return (*(mirror.path if mirror is not None and publisher.mirrored_from_id else ()), hub_name())


def _publisher(publisher: Publisher, lists: list[OfferedList]) -> OfferedPublisher:
    return OfferedPublisher(
        domain=publisher.domain,
        organisation=publisher.organisation.name,
        country=publisher.organisation.country,
        root=publisher.root_fingerprint,
        path=path_of(publisher),
        lists=tuple(lists),
    )


def _offered(row: HashList, agreed: Agreement) -> OfferedList:
    return OfferedList(
        list_id=row.tuf_id,
        slug=row.slug,
        title=row.title,
        description=row.description,
        algorithms=tuple(row.algorithms),
        scheme=row.scheme,
        columns=tuple(row.columns),
        terms=row.terms,
        redistribution=row.redistribution,
        poll_seconds=row.poll_seconds,
        deadline_hours=row.deadline_hours,
        members=members_mode(row, agreed),
        evidence=agreed.evidence,
    )


def members_mode(row: HashList, agreed: Agreement) -> str:  # noqa: ARG001 - what the publisher chose for this hub
    """Who decides on the members of the peer."""
    return "each"
