"""What changes cost, on a small list and on a large one: releases of 1,000 operations, and a member's delta of one."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence

import psycopg

from benchmarks.bed import Bed
from benchmarks.listing import SLIM, Listing, Published, Synced
from benchmarks.measure import run
from benchmarks.results import Figure, Figures

make = Figures("releases")
CHANGES, FEW = 1000, 100
DELTAS = 8
"""How many releases of a series the member follows one by one."""


def measure(bed: Bed) -> Iterator[Figure]:
    """Small and large take turns, so that whatever else the machine does falls on both."""
    scale = bed.scale
    small, middle, large = (bed.listing(entries) for entries in scale.sizes)
    for listing in (small, middle, large):
        listing.synced()
    releases: dict[str, list[Published]] = {small.size: [], middle.size: [], large.size: []}
    deltas: dict[str, list[Synced]] = {small.size: [], middle.size: [], large.size: []}
    for turn in range(scale.releases):
        for listing in (small, large) if turn >= DELTAS else (small, middle, large):
            releases[listing.size].append(listing.release(CHANGES))
            if turn < DELTAS:
                deltas[listing.size].append(listing.sync())
    yield from of_releases(releases, small, middle, large)
    yield from of_deltas(deltas, small, middle, large)
    yield from live_keys(large)
    yield from of_bytes(bed)


# --- the publisher and the hub ------------------------------------------------------------------------------------


def of_releases(series: dict[str, list[Published]], *listings: Listing) -> Iterator[Figure]:
    small, large = listings[0].size, listings[-1].size
    for listing in listings:
        done = series[listing.size]
        name = f"release of {CHANGES:,} changes on {listing.size}, mean of {len(walls_of(done))}, renewal apart"
        labels = {"series": "release", "entries": listing.entries}
        if listing is listings[-1]:
            rival = f"the same on {small}, {mean(series[small]):.2f} s"
            ratio = mean(done) / mean(series[small])
            yield make.compared(name, mean(done), "s", rival=rival, ratio=ratio, goal="<= 1.5", **labels)
        else:
            yield make.plain(name, mean(done), "s", **labels)
    for listing in (listings[0], listings[-1]):
        yield from in_detail(listing, series[listing.size])
    yield make.bounded(
        f"peak memory, publisher, release on {large}", max(d.run.peak_mib for d in series[large]), "MiB", "<= 1024 MiB"
    )
    yield make.bounded(
        f"peak memory, worker, releases on {large}", max(d.worker_peak for d in series[large]), "MiB", "<= 1024 MiB"
    )


def in_detail(listing: Listing, done: Sequence[Published]) -> Iterator[Figure]:
    size, labels = listing.size, {"entries": listing.entries}
    walls, apart = walls_of(done), walls_of(done, renewed=True)
    yield make.plain(f"release on {size}, median", statistics.median(walls), "s")
    yield make.plain(f"release on {size}, slowest", max(walls), "s")
    if apart:
        yield make.plain(f"release on {size} that also renewed the base, mean of {len(apart)}", mean_of(apart), "s")
    for stage in dict.fromkeys(name for item in done for name in item.stages):
        seconds = sum(item.stages.get(stage, 0.0) for item in done) / len(done)
        yield make.plain(f"release on {size}, of which {stage}, mean", seconds, "s")
    rest = mean_of([item.run.wall - sum(item.stages.values()) for item in done if not item.renewed])
    yield make.plain(f"release on {size}, of which start and end of the program, mean", rest, "s")
    web, worker = (mean_of(values) for values in ([d.web_cpu for d in done], [d.worker_cpu for d in done]))
    yield make.plain(f"processor time, web server, release on {size}", web, "s", series="release web cpu", **labels)
    yield make.plain(f"processor time, worker, release on {size}", worker, "s", series="release worker cpu", **labels)
    requests = statistics.fmean(len(item.seen.requests) for item in done)
    yield make.plain(f"requests of a release on {size}, mean", requests, "", series="release requests", **labels)


def walls_of(done: Sequence[Published], *, renewed: bool = False) -> list[float]:
    """Wall seconds of the releases that did not renew the base, or of those that did."""
    return [item.run.wall for item in done if item.renewed is renewed]


def mean(done: Sequence[Published]) -> float:
    return mean_of(walls_of(done))


def mean_of(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def live_keys(listing: Listing) -> Iterator[Figure]:
    """In a process of its own with the worker's memory; the list's files are in the page cache, as at a hub."""
    folder = listing.world.aurora.home / "lists" / listing.store()["list_id"]
    seconds: list[float] = run([sys.executable, "-m", "benchmarks.live_keys", folder]).document
    name = f"the hub's live-key check of {CHANGES:,} changes, {listing.size}"
    note = f"median of {len(seconds)}, slowest {max(seconds):.3f} s"
    yield make.bounded(name, statistics.median(seconds), "s", "<= 0.15 s", note=note)


# --- the member ---------------------------------------------------------------------------------------------------


def of_deltas(series: dict[str, list[Synced]], *listings: Listing) -> Iterator[Figure]:
    walls = {size: statistics.median(item.run.wall for item in done) for size, done in series.items()}
    small = listings[0].size
    for listing in listings:
        size, labels = listing.size, {"series": "delta", "entries": listing.entries}
        name = f"member delta of {CHANGES:,} changes on {size}, median of {len(series[size])}"
        if listing is listings[-1]:
            rival, ratio = f"the same on {small}, {walls[small]:.2f} s", walls[size] / walls[small]
            yield make.compared(name, walls[size], "s", rival=rival, ratio=ratio, goal="<= 1.5", **labels)
        else:
            yield make.plain(name, walls[size], "s", **labels)
    large = listings[-1]
    followed = series[large.size]
    yield from transferred(followed, f"sha256, md5, sha1, pdq, {large.size}", "<= 110 KB", series="delta bytes")
    requests = statistics.median(len(item.seen.requests) for item in followed)
    yield make.plain(
        "requests of a member's delta, poll included", requests, "", series="delta requests", entries=large.entries
    )
    cpu = statistics.median(item.web_cpu for item in followed)
    yield make.plain("processor time of the hub's web server for a member's delta", cpu, "s", series="delta web cpu")
    yield make.plain("one delivery as a row of the hub's database", delivery_row(large), "B", series="delivery row")
    peak = max(item.run.peak_mib for item in followed)
    yield make.bounded(f"peak memory, member delta, {large.size}", peak, "MiB", "<= 300 MiB")


def of_bytes(bed: Bed) -> Iterator[Figure]:
    """Bytes do not depend on the list's size, so the shorter rows and the smaller release are tried on a small one."""
    slim = bed.listing(bed.scale.small, SLIM)
    slim.synced()
    slim.release(CHANGES)
    yield from transferred([slim.sync()], f"sha256 alone, {slim.size}", "<= 50 KB", series="delta bytes slim")
    full = bed.listing(bed.scale.small)
    full.sync()
    full.release(FEW)
    few = full.sync()
    name = f"member delta of {FEW} changes (sha256, md5, sha1, pdq), bytes over HTTP"
    yield make.plain(name, few.seen.bytes / 1000, "KB", series="few bytes", entries=full.entries)


def transferred(followed: Sequence[Synced], what: str, goal: str, *, series: str) -> Iterator[Figure]:
    """The delta itself; then all bodies of the sync, signed metadata and manifest included."""
    delta = statistics.median(sum(request.bytes for request in item.seen.objects) for item in followed) / 1000
    name = f"member delta of {CHANGES:,} changes, four metadata columns, {what}"
    yield make.bounded(f"{name}: bytes of the delta", delta, "KB", goal)
    every = statistics.median(item.seen.bytes for item in followed) / 1000
    note = "poll, signed metadata and manifest included"
    yield make.plain(f"{name}: bytes of all answers", every, "KB", note=note, series=series)


def delivery_row(listing: Listing) -> float:
    """Bytes, the row's header included, its indexes not."""
    with psycopg.connect(listing.world.database(), autocommit=True) as connection:
        row = connection.execute("SELECT avg(pg_column_size(d.*)) FROM hashshare_delivery AS d").fetchone()
    return float(row[0]) if row and row[0] is not None else 0.0
