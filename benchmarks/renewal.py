"""A base of the largest list renewed: built beside the releases, adopted by the next one, taken over by a member."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bed import Bed
from benchmarks.results import Figure, Figures

make = Figures("renewal")
CHANGES = 1000


def measure(bed: Bed) -> Iterator[Figure]:
    """Nothing here has a goal of its own but the memory: the goals for releases leave the renewal apart."""
    listing = bed.listing(bed.scale.large)
    listing.synced()
    listing.release(CHANGES)
    listing.sync()
    world, size = listing.world, listing.size
    base = listing.base_version()
    built = world.hashshare(world.aurora, "publisher", "renew-base", listing.name, "--now")
    yield make.plain(f"base of {size}, built and sent", built.wall, "s")
    for stage, seconds in built.document["stages"].items():
        yield make.plain(f"base of {size}, of which {stage}", seconds, "s")
    yield make.bounded(f"peak memory, publisher, base of {size}", built.peak_mib, "MiB", "<= 1024 MiB")
    adopted = listing.release(CHANGES)
    if listing.base_version() == base:
        raise RuntimeError("The release did not adopt the base that was built.")
    yield make.plain(f"release of {CHANGES:,} changes on {size} that adopts it", adopted.run.wall, "s")
    yield make.plain(f"processor time of the hub's worker for that, {size}", adopted.worker_cpu, "s")
    yield make.bounded(f"peak memory, worker, base of {size}", adopted.worker_peak, "MiB", "<= 1024 MiB")
    taken = listing.sync()
    fetched = sum(request.bytes for request in taken.seen.objects) / 1e6
    yield make.plain(f"member sync over the new base of {size}", taken.run.wall, "s")
    note = "what is held already is not fetched again where the signed bytes can be made from it"
    yield make.plain(f"fetched by that sync of {size}", fetched, "MB", note=note)
    yield make.bounded(f"peak memory, member sync over a new base, {size}", taken.run.peak_mib, "MiB", "<= 300 MiB")
