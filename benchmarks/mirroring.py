"""A hub that mirrors a list from another, beside a member that syncs the same from it; and how far it lags."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.measure import peak_of
from benchmarks.results import Figure, Figures
from benchmarks.world import DOMAIN, LoggingHub, World
from config import postgres
from config.postgres.cluster import USER
from demo.hub import free_port

make = Figures("mirroring")
INTERVAL: Final = 5
"""Seconds between two polls in this measurement, a twelfth of the default: the lag is given in intervals."""
RELEASES: Final = 8
CHANGES: Final = 1_000
LONGEST: Final = 600.0
WORKER: Final = "<= 1024 MiB"

COPY: Final = """
    SELECT extract(epoch FROM finished_at - started_at) FROM hashshare_job
    WHERE kind = 'mirror' AND state = 'done' AND result ->> %s = %s ORDER BY finished_at LIMIT 1
"""
SERVED: Final = """
    SELECT release.version, release.published_at FROM hashshare_release release
    JOIN hashshare_hashlist list ON list.id = release.list_id WHERE list.slug = %s AND release.state = 'published'
"""


class South(LoggingHub):
    """A second hub, which asks its peer every INTERVAL seconds."""

    @property
    def env(self) -> dict[str, str]:
        often = f"mirror_peers=1,{super().env['HASHSHARE_TIMETABLE']}"
        told = {"HASHSHARE_NAME": "South", "HASHSHARE_TIMETABLE": often, "HASHSHARE_COUNTRY": "PT"}
        return {**super().env, **told, "HASHSHARE_MIRROR_SECONDS": str(INTERVAL)}


@dataclass(frozen=True, slots=True)
class Pair:
    """North is the world's hub."""

    world: World
    south: South

    def rows(self, query: str, *values: object, hub: LoggingHub) -> list[tuple[Any, ...]]:
        where = f"host={postgres.join(hub.data)} user={USER} dbname={USER}"
        with psycopg.connect(where, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def served(self, listing: Listing, hub: LoggingHub) -> dict[int, datetime]:
        """When each version came to be served."""
        return dict(self.rows(SERVED, listing.slug, hub=hub))


def measure(bed: Bed) -> Iterator[Figure]:
    listing = bed.listing(bed.scale.middle)
    synced = listing.synced().run
    south = South(bed.world.folder / "south" / "hub", free_port(0), bed.world.hub.stage)
    south.data.parent.mkdir(mode=0o711)
    try:
        south.start()
        pair = Pair(bed.world, south)
        introduce(pair)
        let_cross(pair, listing)
        yield from first_copy(pair, listing, synced.wall)
        yield from lag(pair, listing)
    finally:
        postgres.leave(south.data)
        south.stop()


def introduce(pair: Pair) -> None:
    """As two operators do."""
    north, south = pair.world.hub, pair.south
    for here, there in ((north, south), (south, north)):
        said = json.loads(there.manage("peer", "fingerprint", "--json"))
        here.manage("peer", "introduce", there.url)
        here.manage("peer", "accept", name_of(there), str(said["fingerprint"]), "--country", "NL")


def name_of(hub: LoggingHub) -> str:
    return hub.url.removeprefix("http://")


def let_cross(pair: Pair, listing: Listing) -> None:
    """The publisher lets every peer have the list, both operators agree, and South is subscribed to it."""
    world, south = pair.world, pair.south
    world.aurora.hashshare("publisher", "list", "redistribution", listing.name, "--policy", "federation")
    world.hub.manage("peer", "agree", name_of(south), "out", DOMAIN)
    south.manage("peer", "agree", name_of(world.hub), "in", DOMAIN)
    world.hub.manage("shell", "--no-imports", "-c", SUBSCRIBE.format(slug=listing.slug, peer=name_of(south)))


SUBSCRIBE: Final = """
from django.utils import timezone
from federation.models import Peer
from hashshare.models import HashList, Subscription
now, row = timezone.now(), HashList.objects.get(slug={slug!r})
who = Peer.objects.get(name={peer!r}).organisation
said = dict(terms_digest=row.terms_digest, terms_accepted_at=now, requested_at=now, entitled_at=now)
Subscription.objects.get_or_create(list=row, organisation=who, defaults=said | dict(state="active"))
"""


def until(what: str, look: Callable[[], Any]) -> Any:
    """The first true answer. Raises RuntimeError when there is none in LONGEST seconds."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise RuntimeError(f"Waited {LONGEST:.0f} s in vain: {what}")


def first_copy(pair: Pair, listing: Listing, synced: float) -> Iterator[Figure]:
    version = max(pair.served(listing, pair.world.hub))
    until("South to serve the list", lambda: version in pair.served(listing, pair.south))
    ((seconds,),) = pair.rows(COPY, listing.name, str(version), hub=pair.south)
    yield make.compared(
        f"mirroring a list of {listing.size}: the copy, from its start until it is served",
        float(seconds),
        "s",
        rival=f"a member's first sync of the same, {synced:.2f} s",
        ratio=float(seconds) / synced,
        goal="<= 1.5x",
        note="the same checks, and every object stored once more for members; the member's figure is the whole command",
        series="mirroring",
        entries=listing.entries,
    )
    peak = max(peak_of(pid) for pid in workers(pair.south.data))
    yield make.bounded(f"peak memory, worker that mirrors {listing.size}", peak, "MiB", WORKER)


def workers(data: Path) -> list[int]:
    programs = json.loads((data / "hub.json").read_text())["programs"]
    return [pid for name, pid in programs.items() if name.startswith("worker")]


def lag(pair: Pair, listing: Listing) -> Iterator[Figure]:
    """From when North serves a release until South does, of releases that come at any moment of an interval."""
    first = max(pair.served(listing, pair.world.hub))
    for number in range(RELEASES):
        listing.release(CHANGES)
        time.sleep(INTERVAL * (number % 4) / 4)
    last = max(pair.served(listing, pair.world.hub))
    until("South to serve the last release", lambda: last in pair.served(listing, pair.south))
    home, here = pair.served(listing, pair.world.hub), pair.served(listing, pair.south)
    waited = [
        (min(here[later] for later in here if later >= version) - home[version]).total_seconds() / INTERVAL
        for version in home
        if version > first
    ]
    name = f"mirror lag over {RELEASES} releases of {CHANGES:,} changes to {listing.size}"
    note = f"polled every {INTERVAL} s here, every 60 s by default; what was merged on the way counts when it came"
    yield make.plain(f"{name}, median", statistics.median(waited), "intervals")
    yield make.bounded(f"{name}, longest", max(waited), "intervals", "<= 2", note=note)
