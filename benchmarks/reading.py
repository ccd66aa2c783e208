"""A member's use of the largest list: look a hash up, write it out, check all of it, and how much memory that takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence

import duckdb

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.results import Figure, Figures
from hashshare.client.home import Home
from hashshare.client.lookup import Index, look_up, open_index
from hashshare.client.store import find_store

make = Figures("reading")
MEMBER = "<= 300 MiB"
LOOKUPS = 20


def measure(bed: Bed) -> Iterator[Figure]:
    """After whatever releases the list has had: the base and the deltas over it are read together."""
    listing = bed.listing(bed.scale.large)
    listing.synced()
    before = listing.release(1000).run.document["before"]
    listing.sync()
    size, world = listing.size, listing.world
    yield from lookups(listing)
    file = world.folder / "export"
    for name, command in (
        ("export, CSV", ("export", listing.name, "-o", file)),
        ("export, Parquet", ("export", listing.name, "--format", "parquet", "-o", file)),
        ("changes since the version before", ("changes", listing.name, "--since", str(before), "-o", file)),
        ("verify", ("verify", listing.name)),
    ):
        done = world.hashshare(world.cobalt, *command)
        file.unlink(missing_ok=True)
        yield make.plain(f"{name}, {size}", done.wall, "s")
        yield make.bounded(f"peak memory, {name}, {size}", done.peak_mib, "MiB", MEMBER)


def lookups(listing: Listing) -> Iterator[Figure]:
    """As a command, and again and again in one process that keeps the index open."""
    world = listing.world
    hashes = known(listing)
    done = world.hashshare(world.cobalt, "lookup", f"sha256:{hashes[0]}", "--list", listing.name)
    if not done.document["hashes"][0]["matches"]:
        raise RuntimeError(f"{hashes[0]} is on the list and was not found.")
    yield make.plain(f"lookup of a key among {listing.size}, the whole command", done.wall, "s")
    home = Home(world.cobalt.home)
    with open_index(home, [find_store(home, listing.name)]) as index:
        yield timed(index, f"lookup of a key among {listing.size}", [f"sha256:{text}" for text in hashes])
        unnamed = "64 digits may be of sha256, the key, or of pdq, whose whole column is read"
        yield timed(index, f"lookup of a hash of unnamed algorithm among {listing.size}", hashes, note=unnamed)
    yield make.bounded(f"peak memory, lookup, {listing.size}", done.peak_mib, "MiB", MEMBER)


def timed(index: Index, name: str, texts: Sequence[str], *, note: str = "") -> Figure:
    """The median, one hash at a time. Raises RuntimeError for one that is not found."""
    walls = []
    for text in texts:
        began = time.perf_counter()
        found = look_up(index, [text])
        walls.append(time.perf_counter() - began)
        if not found[text]:
            raise RuntimeError(f"{text} is on the list and was not found.")
    slowest = f"of {len(walls)} different ones; the slowest took {max(walls) * 1000:.0f} ms"
    more = f"{slowest}; {note}" if note else slowest
    return make.plain(f"{name}, median", statistics.median(walls) * 1000, "ms", note=more)


def known(listing: Listing) -> list[str]:
    """Keys from all over the list that no release of a series touches."""
    step = listing.entries // (LOOKUPS + 2)
    keys = ", ".join(f"sha256('hashshare' || {step * place})" for place in range(1, LOOKUPS + 1))
    with duckdb.connect() as con:
        row = con.execute(f"SELECT [{keys}]").fetchone()
    return list(row[0]) if row else []
