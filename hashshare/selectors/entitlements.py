"""Which lists and publishers an organisation may read. All else answers NotEntitled, whether it exists or not."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from hashshare.models import HashList, Organisation, OrganisationKey, Publisher, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.redistribution import may_cross_to
from hashshare.wire import errors

LISTED: Final = (Organisation.State.ACTIVE, Organisation.State.MIRRORED)
"""Hotlines whose lists are in the catalogue."""


def in_force(now: datetime) -> Q:
    """Subscriptions that give the right to read."""
    lasting = Q(ends_at=None) | Q(ends_at__gt=now)
    return Q(state=Subscription.State.ACTIVE, terms_accepted_at__isnull=False) & lasting


def key_in_force(*, fingerprint: str, organisation: uuid.UUID, now: datetime) -> Exists:
    """That the organisation still has the key and is not suspended, as a condition of a query."""
    active = Q(organisation=organisation, organisation__state=Organisation.State.ACTIVE)
    return Exists(OrganisationKey.objects.in_force(now).filter(active, fingerprint=fingerprint))


def readable_lists(*, caller: Caller, now: datetime) -> QuerySet[HashList]:
    """Lists whose entries the caller may fetch: its own and those it is subscribed to; a hub, what may cross to it."""
    rows = readable_by(caller.organisation.pk, now=now)
    if caller.organisation.kind == Organisation.Kind.HUB:
        rows = rows.filter(may_cross_to(caller.organisation, now))
    return rows


def readable_by(organisation: uuid.UUID, *, now: datetime) -> QuerySet[HashList]:
    """The rule for all but hubs, for an organisation by its id. A copy that may no longer be passed on is nobody's."""
    held = Subscription.objects.filter(in_force(now), list=OuterRef("pk"), organisation=organisation)
    mine = Q(publisher__organisation=organisation)
    return HashList.objects.select_related("publisher").filter(mine | Exists(held), closed_at=None)


def visible_lists(*, caller: Caller) -> QuerySet[HashList]:
    """Lists whose description the caller may see: the catalogue, its own, and private ones it was ever offered.

    Lists of a suspended hotline leave the catalogue, and so does what may no longer be passed on here. Those of another
    hub come into it with the first copy: before that there is no root here to pin.
    """
    offered = Subscription.objects.filter(list=OuterRef("pk"), organisation=caller.organisation)
    mine = Q(publisher__organisation=caller.organisation)
    catalogue = Q(visibility=HashList.Visibility.CATALOGUE, publisher__organisation__state__in=LISTED, closed_at=None)
    here = Q(publisher__mirrored_from=None) | ~Q(publisher__root_fingerprint="")
    return HashList.objects.select_related("publisher").filter(mine | (catalogue & here) | Exists(offered))


def readable_list(*, caller: Caller, domain: str, tuf_id: str, now: datetime) -> HashList:
    """Raises NotEntitled."""
    found = readable_lists(caller=caller, now=now).filter(publisher__domain=domain, tuf_id=tuf_id).first()
    if found is None:
        raise errors.NotEntitled
    return found


def visible_list(*, caller: Caller, domain: str, slug: str) -> HashList:
    """Raises NotEntitled."""
    found = visible_lists(caller=caller).filter(publisher__domain=domain, slug=slug).first()
    if found is None:
        raise errors.NotEntitled
    return found


def own_list(*, caller: Caller, domain: str, slug: str) -> HashList:
    """A list of the caller's own publisher. Raises NotEntitled."""
    mine = HashList.objects.select_related("publisher").filter(publisher__organisation=caller.organisation)
    found = mine.filter(publisher__domain=domain, slug=slug).first()
    if found is None:
        raise errors.NotEntitled
    return found


def home_list(*, caller: Caller, domain: str, slug: str) -> HashList:
    """The same, to sign or publish something of it here. Raises NotEntitled, Mirrored."""
    found = own_list(caller=caller, domain=domain, slug=slug)
    refuse_mirrored(found.publisher)
    return found


def once_entitled_list(*, caller: Caller, tuf_id: str, name: str) -> HashList:
    """A list, called `publisher/slug`, of the caller's own, or one that it has or once had. Raises NotEntitled."""
    domain, _, slug = name.partition("/")
    had = Subscription.objects.filter(list=OuterRef("pk"), organisation=caller.organisation, entitled_at__isnull=False)
    mine = Q(publisher__organisation=caller.organisation)
    rows = HashList.objects.select_related("publisher").filter(mine | Exists(had))
    found = rows.filter(tuf_id=tuf_id, slug=slug, publisher__domain=domain).first()
    if found is None:
        raise errors.NotEntitled
    return found


def own_publisher(*, caller: Caller, domain: str) -> Publisher:
    """Raises NotEntitled."""
    found = Publisher.objects.filter(organisation=caller.organisation, domain=domain).first()
    if found is None:
        raise errors.NotEntitled
    return found


def home_publisher(*, caller: Caller, domain: str) -> Publisher:
    """The caller's own, to publish something of it here. Raises NotEntitled, Mirrored."""
    found = own_publisher(caller=caller, domain=domain)
    refuse_mirrored(found)
    return found


def refuse_mirrored(publisher: Publisher) -> None:
    """Raises Mirrored for what is copied from another hub: nothing of it is made or signed here."""
    if publisher.mirrored_from_id is not None:
        raise errors.Mirrored(f"{publisher.domain} is copied from another hub; nothing of it can be published here.")


def readable_publisher(*, caller: Caller, domain: str, now: datetime) -> Publisher:
    """A publisher whose TUF metadata the caller may read, through any list or as its owner. Raises NotEntitled."""
    lists = readable_lists(caller=caller, now=now).filter(publisher=OuterRef("pk"))
    mine = Q(organisation=caller.organisation)
    found = Publisher.objects.filter(mine | Exists(lists), domain=domain).first()
    if found is None:
        raise errors.NotEntitled
    return found


def known_publisher(*, caller: Caller, domain: str) -> Publisher:
    """A publisher that the caller sees in the catalogue, or its own: whose roots it may read. Raises NotEntitled."""
    lists = visible_lists(caller=caller).filter(publisher=OuterRef("pk"))
    mine = Q(organisation=caller.organisation)
    found = Publisher.objects.filter(mine | Exists(lists), domain=domain).first()
    if found is None:
        raise errors.NotEntitled
    return found
