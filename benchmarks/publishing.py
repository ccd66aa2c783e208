"""A whole list from a hotline's CSV to visible in `heads`, in stages; a million against COPY into an indexed table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.results import Figure, Figures
from benchmarks.rival_copy import seconds_to_copy

make = Figures("publish")
PUBLISHER, WORKER = "<= 1024 MiB", "<= 1024 MiB"


def measure(bed: Bed) -> Iterator[Figure]:
    """Smallest first, so that a worker's peak is that of the list just published."""
    for entries in bed.scale.sizes:
        listing = bed.listing(entries)
        yield from published(listing, against_copy=entries == bed.scale.middle)


def published(listing: Listing, *, against_copy: bool) -> Iterator[Figure]:
    done, size = listing.published(), listing.size
    name, wall = f"publish {size} entries (sha256, md5, sha1, pdq), CSV to heads", done.run.wall
    if against_copy:
        rival = seconds_to_copy(listing.csv, listing.world.rival_database())
        against = f"COPY into a table with an index per hash, {rival:.1f} s"
        yield make.compared(name, wall, "s", rival=against, ratio=rival / wall, goal=">= 4x faster")
    else:
        yield make.plain(name, wall, "s")
    if listing.entries > 100_000:
        for stage, seconds in done.stages.items():
            yield make.plain(f"publish {size}, of which {stage}", seconds, "s")
    cpu = f"processor time of the hub's worker, publish {size}"
    yield make.plain(cpu, done.worker_cpu, "s", series="base worker cpu", entries=listing.entries)
    stored = sum(length for _, _, length in listing.objects())
    yield make.plain(
        f"stored, {size} entries", stored / listing.entries, "B/entry", series="stored", entries=listing.entries
    )
    yield make.bounded(f"peak memory, publisher, {size}", done.run.peak_mib, "MiB", PUBLISHER)
    yield make.bounded(f"peak memory, worker, {size}", done.worker_peak, "MiB", WORKER)
