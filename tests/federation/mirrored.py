"""This hub as the one that mirrors: hub North at the other end of real HTTP, with hotline Aurora at home there."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from federation.models import MirroredPublisher, Peer
from federation.services.connections import home_of
from federation.services.mirroring import run_mirror_job
from federation.services.polling import mirror_peers
from hashshare.client.home import Home
from hashshare.client.store import ListStore
from hashshare.models import HashList, Job, Metadata, StoredObject, Subscription
from hashshare.peering_keys import hub_name, peer_key
from hashshare.selectors.callers import Caller
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import keys
from tests.builders import Party, now
from tests.client.members.aurora import Aurora
from tests.client.members.north import North, running
from tests.federation.builders import Hub, accepted, agreed, hub
from tests.federation.offering import offered


@dataclass
class Following:
    """North as this hub's peer. `north.publishers` are what it offers, unless `north.more` says otherwise."""

    north: North
    hub: Hub

    @property
    def peer(self) -> Peer:
        return self.hub.peer

    @property
    def name(self) -> str:
        return self.hub.name

    def offers(self) -> dict[str, Any]:
        return {"publishers": [offered(one, self.name) for one in self.north.publishers]}

    @property
    def home(self) -> Home:
        return home_of(self.peer)

    def store(self, one: Aurora) -> ListStore:
        return ListStore(self.home, one.list_id)

    def poll(self, *, later: timedelta = timedelta(0), again: bool = True) -> list[Job]:
        """As the timetable does, at once; the jobs that it made."""
        before = set(Job.objects.values_list("pk", flat=True))
        if again:
            Peer.objects.update(heads_at=None)
        mirror_peers(now=timezone.now() + later)
        return list(Job.objects.exclude(pk__in=before))

    def follow(self, **options: Any) -> list[Job]:
        """Poll, and do the jobs that are waiting, as a worker does."""
        self.poll(**options)
        waiting = list(Job.objects.filter(kind=Job.Kind.MIRROR, state=Job.State.QUEUED))
        for job in waiting:
            run_mirror_job(job_id=job.pk, worker="worker", task_id="")
            job.refresh_from_db()
        return waiting

    def rest(self) -> None:
        """Let the pause after a failure be over."""
        MirroredPublisher.objects.update(tried_at=None)

    def mirror(self, one: Aurora) -> MirroredPublisher:
        return MirroredPublisher.objects.select_related("publisher").get(publisher__domain=one.domain)


@contextmanager
def following(*publishers: Aurora, agree: bool = True) -> Iterator[Following]:
    """A hub with these publishers, accepted here, and agreed to be mirrored."""
    with running(North(publishers=list(publishers))) as north:
        shutil.rmtree(Path(settings.HASHSHARE_DATA) / "peers" / f"127.0.0.1_{north.port}", ignore_errors=True)
        made = Following(north, accepted(hub(f"127.0.0.1:{north.port}", url=north.url)))
        north.keys[keys.fingerprint(peer_key().public)] = peer_key().public
        north.more["peers/offers"] = made.offers
        north.more["status"] = lambda: {"organisation": {"slug": "cobalt", "name": hub_name(), "kind": "hub"}}
        for one in publishers if agree else ():
            agreed(made.hub, "in", one.domain)
        yield made


def row_of(one: Aurora) -> HashList:
    return HashList.objects.select_related("publisher").get(tuf_id=one.list_id)


def reader(who: Party, one: Aurora) -> Caller:
    """The member, with a subscription in force to the mirrored list."""
    row = row_of(one)
    Subscription.objects.create(
        list=row,
        organisation=who.organisation,
        state=Subscription.State.ACTIVE,
        terms_digest=row.terms_digest,
        terms_accepted_at=now(),
        requested_at=now(),
        entitled_at=now(),
    )
    return who.caller


def metadata_here(one: Aurora) -> dict[str, bytes]:
    """By the names under which it is served."""
    rows = Metadata.objects.filter(publisher__domain=one.domain)
    return {row_name(row): row.content for row in rows}


def row_name(row: Metadata) -> str:
    return "timestamp.json" if row.role == "timestamp" else f"{row.version}.{row.role}.json"


def objects_here(one: Aurora) -> dict[str, bytes]:
    """Those that are served, by path."""
    rows = StoredObject.objects.filter(list__tuf_id=one.list_id, published_at__isnull=False)
    found = {}
    for row in rows:
        key = object_key(one.list_id, row.digest, row.name)
        found[f"{one.list_id}/{row.digest}.{row.name}"] = b"".join(object_store().read(key, first=0, length=row.length))
    return found


def served_now(one: Aurora) -> set[str]:
    """Paths of what the newest manifest names, itself included."""
    rows = StoredObject.objects.filter(list__tuf_id=one.list_id, published_at__isnull=False, superseded_at=None)
    return {f"{one.list_id}/{row.digest}.{row.name}" for row in rows}


def aurora_at(folder: Path, **named: str) -> Aurora:
    return Aurora(folder, **named)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
