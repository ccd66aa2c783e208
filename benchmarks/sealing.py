"""The logs in the hub: what recording a delivery adds to its request, and what sealing many at once costs a worker."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from celery import Celery

from benchmarks import log
from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.measure import family, peak_of
from benchmarks.polling import UNLIMITED, poll_headers
from benchmarks.results import Figure, Figures, size_text
from benchmarks.webserver import Server, get, serving
from benchmarks.world import World
from config.environment import broker
from demo.stage import REPOSITORY
from hashshare.wire.log import Opening, entry_of, new_opening

make: Final = Figures("sealing")
LEAVES: Final = 100_000
QUEUE: Final = "benchmark"
STARTS_WITHIN, SEALS_WITHIN = 60.0, 300.0

WRITING: Final = """
    SELECT 1 FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
WAITING: Final = "SELECT 1 FROM hashshare_leaf WHERE index IS NULL LIMIT 1"


def measure(bed: Bed) -> Iterator[Figure]:
    listing = bed.listing(bed.scale.small)
    listing.synced()
    count = min(LEAVES, bed.scale.small)
    headers = poll_headers(bed.world)
    with bed.world.alone():
        yield from added_to_a_request(bed.world, listing, headers, requests=bed.scale.polls)
        yield from stored(bed.world)
        yield from sealed(bed.world, listing, count)


# --- a delivery --------------------------------------------------------------------------------------------------


def added_to_a_request(world: World, listing: Listing, headers: dict[str, str], *, requests: int) -> Iterator[Figure]:
    """The same request to the hub's application, and to one that records no delivery, in turns."""
    path = manifest_path(world, listing)
    env = {**world.hub.env, "HASHSHARE_RATE_LIMIT": UNLIMITED}
    env.pop("GUNICORN_CMD_ARGS")
    output = world.folder / "deliveries.log"
    with (
        serving("config.wsgi:application", log=output, env=env) as ours,
        serving("benchmarks.unlogged:application", log=output, env=env) as rival,
    ):
        for server in (ours, rival):
            server.ask(path, headers, times=50, expect=200)
        mine, theirs = in_turns(ours, rival, path, headers, requests)
    yield make.bounded(
        "log: what a delivery, its leaf included, adds to a request for a manifest",
        (mine - theirs) * 1000,
        "ms",
        "<= 1 ms",
        rival=f"the same without recording it, {theirs * 1000:.2f} ms",
        note=f"wall, medians of {requests:,} requests each, one by one in turns; with it {mine * 1000:.2f} ms",
    )


def in_turns(ours: Server, rival: Server, path: str, headers: dict[str, str], times: int) -> tuple[float, float]:
    """Median wall seconds of one request to each; whatever else the machine does falls on both."""
    with contextlib.closing(ours.client()) as first, contextlib.closing(rival.client()) as second:
        pairs = [[timed(client, path, headers) for client in (first, second)] for _ in range(times)]
    mine, theirs = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return mine, theirs


def timed(client: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    status, body = get(client, path, headers)
    if status != 200:
        raise RuntimeError(f"{path} answered {status}: {body[:500]!r}")
    return time.perf_counter() - began


def manifest_path(world: World, listing: Listing) -> str:
    query = """
        SELECT domain, tuf_id, manifest_digest FROM hashshare_hashlist
        JOIN hashshare_publisher ON hashshare_publisher.id = publisher_id WHERE domain || '/' || slug = %s
    """
    with psycopg.connect(world.database(), autocommit=True) as connection:
        ((domain, tuf_id, digest),) = connection.execute(query, [listing.name]).fetchall()
    return f"/api/v1/tuf/{domain}/targets/{tuf_id}/{digest}.manifest.json"


def stored(world: World) -> Iterator[Figure]:
    """The rows of the deliveries just made: headers included, indexes not."""
    query = "SELECT avg(pg_column_size(leaf.*)) FROM hashshare_leaf AS leaf WHERE kind = 'delivery'"
    with psycopg.connect(world.database(), autocommit=True) as connection:
        ((size,),) = connection.execute(query).fetchall()
    yield make.plain("log: a delivery's leaf as a row of the hub's database", float(size), "B", series="leaf row")


# --- sealing -----------------------------------------------------------------------------------------------------


def sealed(world: World, listing: Listing, count: int) -> Iterator[Figure]:
    """By a Celery worker of its own that is told once, as by the timetable."""
    with psycopg.connect(world.database(), autocommit=True) as connection:
        deliver(connection, listing, count)
        with worker(world) as pid:
            before = peak_of_family(pid)
            tell(world)
            seconds = seconds_of_sealing(connection)
            peak = peak_of_family(pid)
    size = size_text(count)
    yield make.bounded(f"log: {size} leaves sealed in one go", seconds, "s", "<= 10 s")
    yield make.bounded(
        f"log: peak memory of the worker that seals {size}", peak, "MiB", "<= 200 MiB",
        note=f"by the kernel's account, the larger of its processes; {before:.0f} MiB before",
    )  # fmt: skip


def deliver(connection: psycopg.Connection[Any], listing: Listing, count: int) -> None:
    """So many leaves that wait, as deliveries of the list to Cobalt leave them."""
    query = """
        SELECT hashshare_log.id, hashshare_organisation.id, hashshare_hashlist.id FROM hashshare_hashlist
        JOIN hashshare_log USING (publisher_id) JOIN hashshare_organisation ON hashshare_organisation.slug = 'cobalt'
        WHERE hashshare_hashlist.slug = %s
    """
    ((log_id, organisation, hash_list),) = connection.execute(query, [listing.slug]).fetchall()
    into = "hashshare_leaf (log_id, kind, organisation_id, list_id, nonce, row, entry, created_at)"
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for it in openings(count):
            row = (log_id, "delivery", organisation, hash_list, it.nonce, it.row, entry_of(it), datetime.now(UTC))
            copy.write_row(row)


def openings(count: int) -> Iterator[Opening]:
    return (new_opening(log.row(number)) for number in range(count))


@contextlib.contextmanager
def worker(world: World) -> Iterator[int]:
    """A Celery worker with one process, on a queue of its own at the hub's broker; its process id."""
    output = world.folder / "sealer.log"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "1", "--loglevel", "INFO"]
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--hostname", "sealer@%h", "--without-gossip", "--without-mingle", "--without-heartbeat"],
            cwd=REPOSITORY,
            env={**os.environ, **world.hub.env, "HASHSHARE_QUEUE": QUEUE},
            stdout=file,
            stderr=file,
        )
    try:
        until = time.monotonic() + STARTS_WITHIN
        while b"ready." not in output.read_bytes():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"The worker did not start: {output.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STARTS_WITHIN)


def peak_of_family(pid: int) -> float:
    return max(peak_of(each) for each in family(pid))


def tell(world: World) -> None:
    url, options = broker("", folder=world.hub.data / "broker")
    with Celery(broker=url) as app:
        app.conf.update(broker_transport_options=options, task_default_queue=QUEUE)
        app.send_task("hashshare.tasks.seal_logs")


def seconds_of_sealing(connection: psycopg.Connection[Any]) -> float:
    """From the first thing that the worker writes until nothing waits any more."""
    until = time.monotonic() + SEALS_WITHIN
    began = 0.0
    while connection.execute(WAITING).fetchone():
        if not began and connection.execute(WRITING).fetchone():
            began = time.monotonic()
        if time.monotonic() > until:
            raise RuntimeError(f"Leaves still wait after {SEALS_WITHIN:.0f} s.")
        time.sleep(0.005)
    return time.monotonic() - began
