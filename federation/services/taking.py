"""Taking what a peer offers: rows for publishers and lists that are mirrored from it, and closing what may not cross.

A peer's word makes rows to show and to ask about; content comes only with what a publisher signed (services/copying).
It takes over nothing that is at home here, that another peer brings, or that came from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from federation.models import Agreement, MirroredList, MirroredPublisher, Peer
from federation.offers import OfferedList, OfferedPublisher
from federation.policy import Success
from federation.selectors.agreements import agreement_for, agreements_in_force
from federation.selectors.crossing import judge_taking, policy_of
from federation.services.crossing import check_offer
from hashshare.models import HashList, Organisation, Publisher
from hashshare.peering_keys import hub_name
from hashshare.wire import errors

HOTLINE: Final = Organisation.Kind.HOTLINE


@dataclass(slots=True)
class Taken:
    """`allowed` are the ids of lists that may come here, taken or not; `refused` is why some could not be taken."""

    allowed: set[str] = field(default_factory=set)
    refused: list[errors.HashshareError] = field(default_factory=list)


def take_offers(*, peer: Peer, offers: Iterable[OfferedPublisher], now: datetime) -> Taken:
    """Make or update the rows of all that is offered and agreed. What is refused is named, and keeps nothing out."""
    taken = Taken()
    for offered in offers:
        if hub_name() in offered.path:
            back = f"{peer.name} offers {offered.domain} by a way that leads through this hub."
            taken.refused.append(errors.OfferedBack(back))
            continue
        lists = [each for each in offered.lists if may_come(peer, offered, each, now)]
        if not lists:
            continue
        taken.allowed.update(each.list_id for each in lists)
        try:
            with transaction.atomic():
                mirror = take_publisher(peer, offered, now)
        except errors.HashshareError as error:
            taken.refused.append(error)
            continue
        for each in lists:
            try:
                with transaction.atomic():
                    take_list(mirror, each, now)
            except errors.HashshareError as error:
                taken.refused.append(error)
    return taken


def may_come(peer: Peer, offered: OfferedPublisher, each: OfferedList, now: datetime) -> bool:
    """Whether the list may be taken, by what is offered: what its publisher signed is judged when it has come."""
    name = f"{offered.domain}/{each.slug}"
    return judge_taking(name, each.policy, path=offered.path, peer=peer, now=now) == Success()


def signed_against(*, peer: Peer, newest: Mapping[str, int], now: datetime) -> set[str]:
    """Ids of the peer's lists that may not be passed on by the newest that their publisher signed, as it is held here,
    whatever the peer offers. `newest`: the role versions that its heads name, by id.
    """
    held = mirrored_lists(peer).filter(list__version__gt=0).select_related("list__publisher", "mirror")
    return {
        row.list.tuf_id
        for row in held
        if newest.get(row.list.tuf_id, row.offered_role_version) <= row.list.role_version
        and judge_taking(row.list.name, policy_of(row.list), path=row.mirror.path, peer=peer, now=now) != Success()
    }


def check_words(*, peer: Peer, offers: Iterable[OfferedPublisher]) -> list[errors.HashshareError]:
    """Where the peer says more of a list than its publisher signed, of lists of which the newest is held here."""
    held = {row.list.tuf_id: row for row in mirrored_lists(peer).filter(list__version__gt=0)}
    refused: list[errors.HashshareError] = []
    for each in (each for publisher in offers for each in publisher.lists):
        row = held.get(each.list_id)
        if row is None or row.offered_role_version > row.list.role_version:
            continue
        try:
            check_offer(row.list.name, offered=each.policy, signed=policy_of(row.list), peer=peer)
        except errors.NotRedistributed as error:
            refused.append(error)
    return refused


def take_publisher(peer: Peer, offered: OfferedPublisher, now: datetime) -> MirroredPublisher:
    """Raises MalformedOffers, TakenHere."""
    if offered.path[-1] != peer.name:
        raise errors.MalformedOffers(f"The way of {offered.domain} ends at {offered.path[-1]}, and not at {peer.name}.")
    publisher = Publisher.objects.filter(domain=offered.domain).first()
    if publisher is None:
        return _new_publisher(peer, offered, now)
    if publisher.mirrored_from_id is None or publisher.mirrored_from_id != peer.organisation_id:
        raise _taken_here(peer, offered.domain, publisher)
    mirror = MirroredPublisher.objects.select_for_update().get(publisher=publisher)
    if mirror.path != list(offered.path):
        mirror.path = list(offered.path)
        mirror.save(update_fields=["path"])
    _follow_organisation(publisher.organisation, offered)
    return mirror


def _taken_here(peer: Peer, what: str, publisher: Publisher) -> errors.TakenHere:
    where = "is at home at this hub" if publisher.mirrored_from_id is None else "comes here from another peer"
    return errors.TakenHere(f"{peer.name} offers {what}, which {where}. It is not taken from {peer.name}.")


def _new_publisher(peer: Peer, offered: OfferedPublisher, now: datetime) -> MirroredPublisher:
    if not offered.root:
        raise errors.MalformedOffers(f"{peer.name} offers {offered.domain} without a root.")
    try:
        with transaction.atomic():
            publisher = Publisher.objects.create(
                domain=offered.domain,
                organisation=_hotline(offered, now),
                mirrored_from=peer.organisation,
                created_at=now,
            )
    except IntegrityError as error:
        raise errors.TakenHere(f"{offered.domain} was made here at this moment.") from error
    return MirroredPublisher.objects.create(
        publisher=publisher, peer=peer, root=offered.root, path=list(offered.path), created_at=now
    )


def _hotline(offered: OfferedPublisher, now: datetime) -> Organisation:
    """At another hub: without keys and people here. Its short name is made of the domain, which nobody else has."""
    wanted = offered.domain.replace(".", "-")[:63].strip("-")
    slug, number = wanted, 1
    while Organisation.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{wanted[:58]}-{number}"
    return Organisation.objects.create(
        slug=slug,
        name=offered.organisation,
        kind=HOTLINE,
        country=offered.country,
        state=Organisation.State.MIRRORED,
        created_at=now,
    )


def _follow_organisation(organisation: Organisation, offered: OfferedPublisher) -> None:
    """Only what is at another hub: an organisation that was invited here speaks for itself."""
    said = (offered.organisation, offered.country)
    if organisation.state == Organisation.State.MIRRORED and (organisation.name, organisation.country) != said:
        organisation.name, organisation.country = said
        organisation.save(update_fields=["name", "country"])


def take_list(mirror: MirroredPublisher, offered: OfferedList, now: datetime) -> HashList:
    """Raises TakenHere, UsageError (UnknownAlgorithm) for a format that only a newer version knows."""
    fmt, publisher = offered.fmt, mirror.publisher
    row = HashList.objects.select_related("publisher").filter(tuf_id=offered.list_id).first()
    if row is None:
        row = HashList(publisher=publisher, tuf_id=offered.list_id, slug=offered.slug, created_at=now)
        row.algorithms, row.scheme, row.columns = list(fmt.algorithms), fmt.scheme, list(fmt.columns)
    elif row.publisher_id != publisher.pk:
        raise _taken_here(mirror.peer, f"{publisher.domain}/{offered.slug} ({offered.list_id})", row.publisher)
    _check_same(mirror, row, offered)
    row.title, row.description = offered.title.strip(), offered.description
    row.terms, row.terms_digest = offered.terms, offered.terms_digest
    row.deadline_hours = offered.deadline_hours
    if not row.version:
        # Afterwards the signed manifest says it.
        row.poll_seconds, row.redistribution = offered.poll_seconds, dict(offered.redistribution)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise errors.TakenHere(f"{row.name} has another id here than {mirror.peer.name} says.") from error
    MirroredList.objects.update_or_create(
        list=row, defaults={"mirror": mirror, "members": offered.members, "evidence": offered.evidence}
    )
    return row


def _check_same(mirror: MirroredPublisher, row: HashList, offered: OfferedList) -> None:
    """A list keeps its name and its format for good, as at home. Raises TakenHere."""
    here = (row.slug, tuple(row.algorithms), row.scheme, tuple(row.columns))
    if here != (offered.slug, offered.fmt.algorithms, offered.scheme, offered.fmt.columns):
        raise errors.TakenHere(
            f"{mirror.peer.name} offers the list {offered.list_id} as {offered.slug} in another format; here it is "
            f"{row.name}."
        )


# --- Closing and opening ----------------------------------------------------------------------------------------------


def mirrored_lists(peer: Peer) -> QuerySet[MirroredList]:
    return MirroredList.objects.filter(mirror__peer=peer).select_related("list__publisher", "mirror")


def allow_only(*, peer: Peer, allowed: set[str], now: datetime) -> int:
    """Of the peer's lists, those with these ids may be passed on here. The others are closed: nobody here reads them
    from now on; how many were.

    What may be passed on again is opened when it has been copied anew (services/storing.py): until then it may be old.
    """
    rows = mirrored_lists(peer)
    rows.filter(list__tuf_id__in=allowed, allowed=False).update(allowed=True)
    gone = rows.exclude(list__tuf_id__in=allowed)
    MirroredList.objects.filter(pk__in=list(gone.filter(allowed=True).values_list("pk", flat=True))).update(
        allowed=False, behind_since=None
    )
    return HashList.objects.filter(pk__in=list(gone.values_list("list", flat=True)), closed_at=None).update(
        closed_at=now
    )


def still_agreed(*, peer: Peer, now: datetime) -> set[str]:
    """Ids of the peer's lists that were allowed before and that this hub's own agreements still let come."""
    agreements = list(agreements_in_force(now=now).filter(peer=peer, direction=Agreement.Direction.IN))
    return {
        row.list.tuf_id
        for row in mirrored_lists(peer).filter(allowed=True)
        if agreement_for(agreements, row.list.publisher.domain, row.list.slug) is not None
    }
