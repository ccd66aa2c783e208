"""A member's first sync of a whole list, and its poll with nothing new, as whole commands."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.results import Figure, Figures
from benchmarks.rival_curl import seconds_to_curl

make = Figures("sync")
MEMBER = "<= 300 MiB"
POLLS = 5
THREATEXCHANGE = 17.9 / 100_000
"""Seconds an entry of the released threatexchange client, which took 17.9 s for 100,000; a constant, measured once."""


def measure(bed: Bed) -> Iterator[Figure]:
    """The goals are for the largest: what costs the same whatever the size is small beside its bytes."""
    for entries in bed.scale.sizes:
        listing = bed.listing(entries)
        listing.published()
        yield from synced(listing, goals=entries == bed.scale.large)
        walls = [listing.sync().run.wall for _ in range(POLLS)]
        name = f"member sync of {listing.size} with nothing new"
        yield make.plain(name, statistics.median(walls), "s", series="poll", entries=entries)


def synced(listing: Listing, *, goals: bool) -> Iterator[Figure]:
    rival, stored = seconds_to_curl(listing)
    done = listing.synced()
    wall, size = done.run.wall, listing.size
    yield make.compared(
        f"member full sync of {size} ({stored / 1e6:,.0f} MB)",
        wall,
        "s",
        rival=f"curl and sha256sum, {rival:.2f} s",
        ratio=wall / rival,
        goal="<= 2x" if goals else "",
        note=f"{done.run.cpu:.1f} s of processor time; every row is verified, which the rival does not do",
        series="full sync",
        entries=listing.entries,
    )
    yield make.plain(f"requests of that sync of {size}", len(done.seen.requests), "")
    yield make.plain(
        f"processor time of the hub's web server, {size}",
        done.web_cpu,
        "s",
        series="full sync web cpu",
        entries=listing.entries,
    )
    yield make.bounded(f"peak memory, member sync, {size}", done.run.peak_mib, "MiB", MEMBER)
    if goals:
        yield make.compared(
            f"member full sync of {size}, per entry",
            wall / listing.entries * 1e6,
            "us/entry",
            rival=f"released threatexchange client, {THREATEXCHANGE * 1e6:.0f} us (a constant)",
            ratio=THREATEXCHANGE / (wall / listing.entries),
            goal=">= 50x faster",
            note="the rival's figure is a constant from an earlier measurement (17.9 s for 100,000 entries)",
        )
