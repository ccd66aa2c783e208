"""What is mirrored from where, how far it is behind, and what is to be copied now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from federation.models import MirroredList, MirroredPublisher, Peer
from hashshare.models import Job, Metadata
from hashshare.wire import errors

RENEWED_AFTER: Final = timedelta(hours=1)
"""How old the copy of a timestamp, which its hub signs anew every hour, may become although nothing else is new."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
UNFINISHED: Final = (Job.State.QUEUED, Job.State.RUNNING, Job.State.WAITING)


@dataclass(frozen=True, slots=True)
class Lag:
    """One mirrored list beside what its peer said last. `behind_since` None: it has all that the peer has."""

    list_name: str
    peer: str
    version: int
    offered: int
    behind_since: datetime | None
    copied_at: datetime | None
    closed_at: datetime | None

    @property
    def versions(self) -> int:
        return max(0, self.offered - self.version)


def behind() -> Q:
    """Lists of which the peer's heads name something newer than is here."""
    newer = Q(offered_version__gt=F("list__version")) | Q(offered_role_version__gt=F("list__role_version"))
    return Q(allowed=True) & newer


def wanted_lists(mirror: MirroredPublisher) -> QuerySet[MirroredList]:
    """Those to be copied: they may cross, and have a release."""
    rows = MirroredList.objects.filter(mirror=mirror, allowed=True, offered_role_version__gt=0)
    return rows.select_related("list__publisher").order_by("list__slug")


def due_mirrors(*, peer: Peer, now: datetime) -> list[MirroredPublisher]:
    """Publishers of which something is to be copied, or could not be, that no job is at, and that are in no pause."""
    lists = MirroredList.objects.filter(mirror=OuterRef("pk"), allowed=True, offered_role_version__gt=0)
    lacking = Exists(lists.filter(behind() | Q(list__closed_at__isnull=False)))
    roots = Metadata.objects.filter(publisher=OuterRef("publisher"), role="root").order_by("-version")
    old = Q(copied_at=None) | Q(copied_at__lt=now - RENEWED_AFTER) | Q(offered_root__gt=F("newest_root"))
    rows = MirroredPublisher.objects.annotate(newest_root=Subquery(roots.values("version")[:1]))
    failed = Q(failures__gt=0)  # also where the peer no longer claims to have more: what is wrong with it is over then
    rows = rows.filter(lacking | old | failed, Exists(lists), peer=peer, state=MirroredPublisher.State.FOLLOWING)
    jobs = Job.objects.filter(kind=Job.Kind.MIRROR, state__in=UNFINISHED, target=OuterRef("pk"))
    rows = rows.exclude(Exists(jobs)).select_related("publisher", "peer__organisation").order_by("publisher__domain")
    return [mirror for mirror in rows if not pauses(mirror, now)]


def pauses(mirror: MirroredPublisher, now: datetime) -> bool:
    """Whether it is left alone for a while after a failure."""
    until = paused_until(mirror)
    return until is not None and now < until


def paused_until(mirror: MirroredPublisher) -> datetime | None:
    """When it is tried again: later after each failure in a row, by an hour at most. None: at the next poll."""
    if not mirror.failures or mirror.tried_at is None:
        return None
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(mirror.failures - 1, 10), LONGEST_PAUSE)
    return mirror.tried_at + pause


def lags(*, peer: Peer | None = None) -> list[Lag]:
    """By list. Closed ones are there too: they do not follow."""
    rows = MirroredList.objects.select_related("list__publisher", "mirror__peer")
    if peer is not None:
        rows = rows.filter(mirror__peer=peer)
    return [
        Lag(
            row.list.name,
            row.mirror.peer.name,
            row.list.version,
            row.offered_version,
            row.behind_since,
            row.mirror.copied_at,
            row.list.closed_at,
        )
        for row in rows.order_by("list__publisher__domain", "list__slug")
    ]


def trouble_of(row: MirroredList) -> dict[str, Any] | None:
    """The problem document of why the list, or all of its publisher, could not be copied; None when it could."""
    found: dict[str, Any] | None = row.trouble or row.mirror.trouble
    return found


def alarmed() -> QuerySet[MirroredPublisher]:
    """Those that stopped for somebody to look at them, of peers that were not ended."""
    rows = MirroredPublisher.objects.filter(state=MirroredPublisher.State.ALARMED).exclude(peer__state=Peer.State.ENDED)
    return rows.select_related("publisher", "peer").order_by("publisher__domain")


def mirror_of(*, peer: str, domain: str) -> MirroredPublisher:
    """Raises NotFound."""
    rows = MirroredPublisher.objects.select_related("publisher", "peer")
    found = rows.filter(peer__name=peer.strip().lower(), publisher__domain=domain.strip().lower()).first()
    if found is None:
        raise errors.NotFound(f"{domain[:80]} is not copied from {peer[:80]}.", next_step="See: manage.py peer list")
    return found


def busy_with(peer: Peer, *, but: uuid.UUID, now: datetime) -> bool:
    """Whether another job copies from the peer at this moment. One at a time, so that no peer keeps all workers."""
    mine = MirroredPublisher.objects.filter(peer=peer).values("pk")
    rows = Job.objects.filter(kind=Job.Kind.MIRROR, state=Job.State.RUNNING, leased_until__gt=now, target__in=mine)
    return rows.exclude(pk=but).exists()
