"""What this hub offers to a peer: what may cross to it at this moment, and nothing of what came through it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from federation.models import Agreement, MirroredPublisher
from federation.offers import OfferedList, OfferedPublisher
from federation.selectors.agreed import narrowed
from federation.selectors.agreements import agreement_for, agreements_in_force
from federation.selectors.onward import Terms, terms_for
from federation.selectors.peers import peer_of
from hashshare.models import HashList, Publisher
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import readable_lists
from hashshare.wire.plain_text import in_a_line


def offers_to(*, caller: Caller, now: datetime) -> list[OfferedPublisher]:
    """By domain, each publisher's lists by name: those that the peer is subscribed to and that may cross to it, which
    `readable_lists` asks of any hub. Raises NotAPeer.
    """
    peer = peer_of(organisation=caller.organisation)
    agreements = list(agreements_in_force(now=now).filter(peer=peer, direction=Agreement.Direction.OUT))
    rows = readable_lists(caller=caller, now=now).filter(role_version__gt=0, publisher__sandbox=False)
    rows = rows.select_related("publisher__organisation", "publisher__mirror__peer").order_by(
        "publisher__domain", "slug"
    )
    found: dict[Publisher, list[OfferedList]] = defaultdict(list)
    for row in rows:
        agreed = agreement_for(agreements, row.publisher.domain, row.slug)
        if agreed is not None:
            found[row.publisher].append(_offered(row, agreed, terms_for(peer, row)))
    return [_publisher(publisher, lists) for publisher, lists in found.items()]


def path_of(publisher: Publisher) -> tuple[str, ...]:
    """The hubs from the publisher's home to this one, both included."""
    mirror: MirroredPublisher | None = getattr(publisher, "mirror", None)
    return (*(mirror.path if mirror is not None and publisher.mirrored_from_id else ()), hub_name())


def _publisher(publisher: Publisher, lists: list[OfferedList]) -> OfferedPublisher:
    return OfferedPublisher(
        domain=publisher.domain,
        organisation=in_a_line(publisher.organisation.name),
        country=publisher.organisation.country,
        root=publisher.root_fingerprint,
        path=path_of(publisher),
        lists=tuple(lists),
    )


def _offered(row: HashList, agreed: Agreement, terms: Terms) -> OfferedList:
    return OfferedList(
        list_id=row.tuf_id,
        slug=row.slug,
        title=in_a_line(row.title),
        description=row.description,
        algorithms=tuple(row.algorithms),
        scheme=row.scheme,
        columns=tuple(row.columns),
        terms=row.terms,
        redistribution=row.redistribution,
        poll_seconds=row.poll_seconds,
        deadline_hours=row.deadline_hours,
        members=terms.members,
        evidence=narrowed(agreed.evidence, terms.evidence),
    )
