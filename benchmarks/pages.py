"""Entries served: segments by a hub, against pages of JSON that Django REST framework makes of rows in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.polling import hub_server, poll_headers
from benchmarks.results import Figure, Figures
from benchmarks.rival_site import PAGE, load
from benchmarks.webserver import Server, get, serving
from benchmarks.world import DOMAIN

make = Figures("pages")
TIMES = 10
"""How often the segments are fetched: once costs too little processor time to be counted well."""


def measure(bed: Bed) -> Iterator[Figure]:
    """Per million entries: the small list's rows as pages, the middle one's segments."""
    cpu, size, entries, wall = served_pages(bed.listing(bed.scale.small))
    mine, stored = served_segments(bed.listing(bed.scale.middle))
    per = 1_000_000 / entries
    yield make.compared(
        "processor time of the web server, per million entries served as segments",
        mine,
        "s",
        rival=f"pages of {PAGE:,} as JSON by DRF, {cpu * per:.1f} s",
        ratio=mine / (cpu * per),
        note=f"the rival's {entries:,} rows took {wall:.1f} s; PostgreSQL's own time is not counted",
        series="serve cpu",
    )
    yield make.compared(
        "bytes per million entries served as segments",
        stored / 1e6,
        "MB",
        rival=f"pages of JSON, {size * per / 1e6:.0f} MB",
        ratio=stored / (size * per),
    )


def served_pages(listing: Listing) -> tuple[float, int, int, float]:
    """(processor seconds of the web server, bytes, entries, wall seconds) of reading every page once."""
    listing.published()
    world = listing.world
    dsn = world.rival_database()
    load(listing.csv, dsn)
    log = world.folder / "rival.log"
    with serving("benchmarks.rival_site:application", log=log, env={"RIVAL_DATABASE": dsn}) as site:
        site.ask("/entries", {}, times=2, expect=200)
        before, began = site.cpu(), time.perf_counter()
        size, entries = read_pages(site)
        cpu, wall = site.cpu() - before, time.perf_counter() - began
    if entries != listing.entries:
        raise RuntimeError(f"The pages held {entries:,} entries, not {listing.entries:,}.")
    return cpu, size, entries, wall


def read_pages(site: Server) -> tuple[int, int]:
    """Follow the pages to the last; bytes of bodies, and entries."""
    size, entries = 0, 0
    after: int | None = 0
    with contextlib.closing(site.client()) as client:
        while after is not None:
            status, body = get(client, f"/entries?after={after}", {})
            if status != 200:
                raise RuntimeError(f"A page answered {status}: {body[:500]!r}")
            page = json.loads(body)
            size, entries, after = size + len(body), entries + len(page["entries"]), page["next"]
    return size, entries


def served_segments(listing: Listing) -> tuple[float, float]:
    """(processor seconds of the web server, bytes) per million entries, by the hub's own application."""
    listing.synced()
    objects, headers = listing.objects(), poll_headers(listing.world)
    with hub_server(listing.world) as hub:
        paths = [_address(path, sha256) for path, sha256, _ in objects]
        for path in paths:
            hub.ask(path, headers, times=1, expect=200)
        before = hub.cpu()
        size = sum(hub.ask(path, headers, times=TIMES, expect=200) for path in paths)
        cpu = hub.cpu() - before
    per = 1_000_000 / listing.entries / TIMES
    return cpu * per, size * per


def _address(path: str, sha256: str) -> str:
    folder, _, name = path.partition("/")
    return f"/api/v1/tuf/{DOMAIN}/targets/{folder}/{sha256}.{name}"
