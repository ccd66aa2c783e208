"""A release as its hotline looks at it: who signed it, and which members have pulled and applied it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from hashshare.models import Delivery, Metadata, OrganisationKey, Release
from hashshare.selectors.metadata import newest
from hashshare.selectors.propagation import HubState, MemberState, over_hubs, withdrawal
from hashshare.wire.repository.rotation import feed_keys, signers_of


@dataclass(frozen=True, slots=True)
class Reception:
    """`pulled_at`: when the hub first served the member this version or a later one."""

    member: MemberState
    pulled_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleaseSeen:
    """`signers` are key ids, none when the signed metadata is no longer kept. `handed_by`: whose request brought it.
    `hubs`: other hubs that have the list.
    """

    release: Release
    signers: tuple[str, ...]
    handed_by: OrganisationKey | None
    members: tuple[Reception, ...]
    hubs: tuple[HubState, ...]

    @property
    def pulled(self) -> int:
        return sum(it.pulled_at is not None for it in self.members)

    @property
    def applied(self) -> int:
        return sum(it.member.applied_at is not None for it in self.members)


def release_page(*, release_id: uuid.UUID, of: uuid.UUID | None, now: datetime) -> ReleaseSeen | None:
    """Of an organisation's own lists (None: of all); None for another's."""
    rows = Release.objects.select_related("list__publisher", "commit__submitted_by")
    rows = rows.filter(pk=release_id, state=Release.State.PUBLISHED)
    found = (rows if of is None else rows.filter(list__publisher__organisation=of)).first()
    if found is None:
        return None
    pulls = Delivery.objects.filter(list=found.list_id, version__gte=found.version).order_by()
    first = dict(pulls.values_list("organisation").annotate(first=Min("at")))
    (seen,) = over_hubs(found=[withdrawal(release=found, now=now)], now=now, members=False)
    received = tuple(Reception(member, first.get(member.organisation.pk)) for member in seen.members)
    submitted_by = found.commit.submitted_by if found.commit else None
    return ReleaseSeen(found, _signers(found), submitted_by, received, seen.hubs)


def _signers(release: Release) -> tuple[str, ...]:
    feed = Metadata.objects.filter(list=release.list_id, version=release.role_version).first()
    targets = newest(publisher=release.list.publisher, role="targets")
    if feed is None or targets is None:
        return ()
    known = feed_keys(targets.content).get(release.list.tuf_id, ())
    return signers_of(release.list.tuf_id, feed.content, known)
