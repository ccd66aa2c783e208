"""The poll with nothing new: what it asks, what it writes, and what it costs a hub beside a view that does nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import psycopg

from benchmarks.bed import Bed
from benchmarks.listing import Listing
from benchmarks.measure import cpu_of, family, parent_of
from benchmarks.results import Figure, Figures
from benchmarks.webserver import Server, serving
from benchmarks.world import World

make = Figures("poll")
ROUNDS = 3
WRITES = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables"
SETTLES = 12.0
"""Seconds after which PostgreSQL has counted what idle connections did (it waits for ten at most)."""
UNLIMITED = "100000000/min"
"""The limit is counted as always and never reached."""


def measure(bed: Bed) -> Iterator[Figure]:
    listing = bed.listing(bed.scale.small)
    listing.synced()
    yield from asked(listing)
    world = bed.world
    headers = poll_headers(world)
    with world.alone():
        time.sleep(SETTLES)
        before = written(world)
        yield from compared(world, headers, bed.scale.polls)
        time.sleep(SETTLES)
        rows = written(world) - before
    note = "rows inserted, updated or deleted by PostgreSQL's own count, other programs of the hub standing still"
    polls = ROUNDS * bed.scale.polls
    yield make.bounded(f"rows written by {polls:,} polls with nothing new", rows, "", "= 0", note=note)


def asked(listing: Listing) -> Iterator[Figure]:
    """What `hashshare sync` asks of a hub that has nothing new, once it has its token."""
    listing.sync()
    done = listing.sync().seen.requests
    yield make.bounded("requests of a sync with nothing new", len(done), "", "= 1")
    yield make.bounded("status of its answer", done[0].status if done else 0, "", "= 304")
    yield make.plain("bytes of its body", sum(request.bytes for request in done), "B")


def poll_headers(world: World) -> dict[str, str]:
    """A member's headers: bearer token and the tag of what it holds."""
    token = world.cobalt.hashshare("request", "POST", "tokens").document["body"]["token"]
    host = world.hub.url.removeprefix("http://")
    return {"Authorization": f"Bearer {token}", "Host": host, "Accept-Encoding": "gzip, deflate"}


def compared(world: World, headers: dict[str, str], polls: int) -> Iterator[Figure]:
    """The same gunicorn serves both, in turns."""
    log = world.folder / "rival.log"
    with hub_server(world) as hub, serving("benchmarks.rival_site:application", log=log, env={}) as empty:
        headers = {**headers, "If-None-Match": tag(hub, headers)}
        for server, path, expect in ((hub, "/api/v1/heads", 304), (empty, "/empty", 200)):
            server.ask(path, headers, times=200, expect=expect)
        database = cpu_of(database_processes(world))
        ours, rivals = [], []
        for _ in range(ROUNDS):
            ours.append(hub.cpu_of_asking("/api/v1/heads", headers, times=polls, expect=304))
            rivals.append(empty.cpu_of_asking("/empty", headers, times=polls, expect=200))
        database = (cpu_of(database_processes(world)) - database) / (ROUNDS * polls)
    mine, theirs = statistics.median(ours), statistics.median(rivals)
    yield make.compared(
        "processor time of the web server for a poll with nothing new",
        mine * 1e6,
        "us",
        rival=f"an empty Django view, {theirs * 1e6:.0f} us",
        ratio=mine / theirs,
        goal="<= 3x",
        note=f"PostgreSQL's own time is not in it: {database * 1e6:.0f} us a poll beside it",
        series="poll web cpu",
    )
    yield make.plain("processor time of PostgreSQL for a poll", database * 1e6, "us", series="poll database cpu")


def hub_server(world: World) -> AbstractContextManager[Server]:
    """The hub's own application once more, on its data, under its public address, without an access log."""
    env = {name: value for name, value in world.hub.env.items() if name != "GUNICORN_CMD_ARGS"}
    env["HASHSHARE_RATE_LIMIT"] = UNLIMITED
    return serving("config.wsgi:application", log=world.folder / "second.log", env=env)


def tag(server: Server, headers: dict[str, str]) -> str:
    client = server.client()
    client.request("GET", "/api/v1/heads", headers=headers)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    if answer.status != 200:
        raise RuntimeError(f"The poll answered {answer.status}: {body[:500]!r}")
    return str(answer.headers["ETag"])


def written(world: World) -> int:
    with psycopg.connect(world.database(), autocommit=True) as connection:
        row = connection.execute(WRITES).fetchone()
    return int(row[0]) if row else 0


def database_processes(world: World) -> list[int]:
    """The hub's PostgreSQL server and its backends."""
    with psycopg.connect(world.database(), autocommit=True) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return family(parent_of(int(row[0]))) if row else []
