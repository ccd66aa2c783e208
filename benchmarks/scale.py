"""`python -m benchmarks.scale`: writes docs/scale.md, what a coalition's day costs, computed from measured figures."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from benchmarks import results
from benchmarks.page import figures_of
from benchmarks.results import Figure
from hashshare.wire.chain import RENEW_AFTER, merge_candidates
from hashshare.wire.manifest import Segment
from hashshare.wire.objects import ObjectRef

PAGE: Final = Path(__file__).parent.parent / "docs" / "scale.md"

PUBLISHERS, MEMBERS, ENTRIES = 100, 5_000, 100_000_000
RELEASES: Final = 288
"""A day, one every five minutes."""
CHANGES: Final = 100
"""Operations in a release."""
RENEWED_AT: Final = 0.2
"""Share of a base that operations past it may reach."""
KEPT_DAYS: Final = 7
"""After which superseded objects are pruned."""
DAY: Final = 86_400
TIMES: Final = " \N{MULTIPLICATION SIGN} "
NIGHTLY_REQUESTS: Final = 14
"""Requests for the segments of 288 missed releases at most: the goal, which docs/performance.md holds us to."""


class MissingFigureError(LookupError):
    """The results lack a figure that the page stands on."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that go in. Seconds of processor time, bytes, requests; `list_entries` is a list's share of all."""

    release_requests: float
    release_web: float
    release_worker: float
    poll_web: float
    poll_database: float
    delta_requests: float
    delta_web: float
    delta_bytes: float
    few_bytes: float
    entry_bytes: float
    base_worker: float
    serve_per_million: float
    delivery_row: float
    leaf_row: float

    @classmethod
    def of(cls, figures: Sequence[Figure], *, base: int = 1_000_000, large: int = 10_000_000) -> Measured:
        """Raises MissingFigureError."""

        def find(series: str, entries: int | None = None) -> float:
            for figure in figures:
                if figure.series == series and entries in (None, figure.entries):
                    return figure.value
            raise MissingFigureError(f"There is no figure of {series!r} in the results: run make bench first.")

        return cls(
            release_requests=find("release requests", large),
            release_web=find("release web cpu", large),
            release_worker=find("release worker cpu", large),
            poll_web=find("poll web cpu") / 1e6,
            poll_database=find("poll database cpu") / 1e6,
            delta_requests=find("delta requests"),
            delta_web=find("delta web cpu"),
            delta_bytes=find("delta bytes") * 1000,
            few_bytes=find("few bytes") * 1000,
            entry_bytes=find("stored", base),
            base_worker=find("base worker cpu", base),
            serve_per_million=find("serve cpu"),
            delivery_row=find("delivery row"),
            leaf_row=find("leaf row"),
        )

    @property
    def recorded(self) -> float:
        """Bytes of rows that a delivery leaves behind."""
        return self.delivery_row + self.leaf_row

    @property
    def operation_bytes(self) -> float:
        """What an operation more adds to a delta: the difference of two measured deltas."""
        return (self.delta_bytes - self.few_bytes) / 900


@dataclass(frozen=True, slots=True)
class Line:
    """A result with the arithmetic that leads to it."""

    what: str
    sum: str
    result: str


# --- the arithmetic ----------------------------------------------------------------------------------------------


def publishing(m: Measured) -> list[Line]:
    """All publishers' releases, and the renewal of their bases."""
    releases, entries = PUBLISHERS * RELEASES, ENTRIES // PUBLISHERS
    renewals = renewals_a_day(entries)
    web, worker = releases * m.release_web, releases * m.release_worker
    return [
        product("requests", (PUBLISHERS, "publishers"), (RELEASES, "releases"), (m.release_requests, "requests")),
        cpu("web processor time", web, f"{count(releases)} releases * {m.release_web:.3g} s"),
        cpu("worker processor time, releases", worker, f"{count(releases)} releases * {m.release_worker:.3g} s"),
        Line(
            "bases renewed, each list",
            f"{RELEASES} * {CHANGES} operations / ({RENEWED_AT:g} * {count(entries)} entries), and "
            f"{RENEW_AFTER.days} days after one if anything was withdrawn since",
            f"{renewals:.2g} a day, so one in {1 / renewals:.1f} days",
        ),
        cpu(
            "worker processor time, bases",
            PUBLISHERS * renewals * m.base_worker,
            f"{PUBLISHERS} * {renewals:.2g} * {m.base_worker:.3g} s",
        ),
        Line(
            "uploaded",
            f"{count(releases)} * {size(own_bytes(m))} and {PUBLISHERS} * {renewals:.2g} * {size(base_bytes(m))}",
            size(releases * own_bytes(m) + PUBLISHERS * renewals * base_bytes(m)),
        ),
    ]


def following(m: Measured) -> list[Line]:
    """Every member takes every release of every list within five minutes."""
    polls, syncs = MEMBERS * RELEASES, MEMBERS * RELEASES * PUBLISHERS
    each = m.delta_requests - 1
    web = polls * m.poll_web + syncs * m.delta_web
    return [
        Line("polls", f"{count(MEMBERS)} members * {RELEASES}", f"{count(polls)}, {per_second(polls)}"),
        Line(
            "requests",
            f"{count(polls)} + {count(MEMBERS)} * {PUBLISHERS} lists * {RELEASES} * {each:.0f}",
            f"{count(polls + syncs * each)}, {per_second(polls + syncs * each)}",
        ),
        Line(
            "bytes",
            f"{count(syncs)} * {size(m.few_bytes)}",
            f"{size(syncs * m.few_bytes)}, {rate(syncs * m.few_bytes)}",
        ),
        cpu(
            "web processor time",
            web,
            f"{count(polls)} * {m.poll_web * 1000:.2g} ms + {count(syncs)} * {m.delta_web:.3g} s",
        ),
        cpu("PostgreSQL, polls alone", polls * m.poll_database, f"{count(polls)} * {m.poll_database * 1000:.2g} ms"),
        Line(
            "deliveries in PostgreSQL, each with its leaf in the log",
            f"{count(syncs)} * ({m.delivery_row:.0f} B + {m.leaf_row:.0f} B) and indexes",
            f"{size(syncs * m.recorded)} at least",
        ),
    ]


def nightly(m: Measured) -> list[Line]:
    """Every member takes every list once a day, which is a catch-up over 288 releases."""
    syncs, operations = MEMBERS * PUBLISHERS, RELEASES * CHANGES
    each = m.delta_requests - 1 + NIGHTLY_REQUESTS - 1
    sent = 2 * operations * m.operation_bytes + m.few_bytes - CHANGES * m.operation_bytes
    web = syncs * (m.delta_web + (NIGHTLY_REQUESTS - 1) * m.poll_web + 2 * operations / 1e6 * m.serve_per_million)
    return [
        Line(
            "requests, at most",
            f"{count(MEMBERS)} * {PUBLISHERS} lists * {each:.0f}",
            f"{count(syncs * each)}, {per_second(syncs * each)}",
        ),
        Line(
            "bytes, at most",
            f"{count(syncs)} * 2 * {count(operations)} operations * {m.operation_bytes:.0f} B, and the signed metadata",
            f"{size(syncs * sent)}, {rate(syncs * sent)}",
        ),
        cpu(
            "web processor time, at most",
            web,
            f"{count(syncs)} * ({m.delta_web:.3g} s + {NIGHTLY_REQUESTS - 1} * {m.poll_web * 1000:.2g} ms"
            f" + {2 * operations / 1e6:.2g} M * {m.serve_per_million:.2g} s)",
        ),
        Line(
            "deliveries in PostgreSQL, each with its leaf in the log",
            f"{count(syncs)} * ({m.delivery_row:.0f} B + {m.leaf_row:.0f} B) and indexes",
            size(syncs * m.recorded),
        ),
    ]


def storage(m: Measured) -> list[Line]:
    """What the object store holds once pruning has reached its balance."""
    entries = ENTRIES // PUBLISHERS
    renewals = renewals_a_day(entries)
    bases = 1 + math.ceil(renewals * KEPT_DAYS)
    operations, times = PUBLISHERS * RELEASES * CHANGES * KEPT_DAYS, written(RELEASES * KEPT_DAYS)
    deltas = operations * m.operation_bytes * times
    held = ENTRIES * m.entry_bytes
    return [
        Line("one copy of all entries", f"{count(ENTRIES)} * {m.entry_bytes:.1f} B", size(held)),
        Line("bases with those not yet pruned, at most", f"{bases} * {size(held)}", size(bases * held)),
        Line(
            f"deltas and merges of {KEPT_DAYS} days, at most",
            f"{count(operations)} operations * {m.operation_bytes:.0f} B * {times:.1f} (times each is written, merges "
            "included: simulated by the chain's own rule)",
            size(deltas),
        ),
        Line(
            "at a member that holds everything",
            f"{size(held)} and up to {RENEWED_AT * 100:.0f} % of deltas",
            size(held * (1 + RENEWED_AT)),
        ),
    ]


def renewals_a_day(entries: int) -> float:
    """By the share that changed or, with withdrawals in every day, by age, whichever comes first."""
    return max(RELEASES * CHANGES / (RENEWED_AT * entries), 1 / RENEW_AFTER.days)


def base_bytes(m: Measured) -> float:
    return ENTRIES / PUBLISHERS * m.entry_bytes


def own_bytes(m: Measured) -> float:
    """A release as its publisher uploads it: the delta, and the merges that it causes sooner or later."""
    return written(RELEASES * KEPT_DAYS) * CHANGES * m.operation_bytes


@cache
def written(releases: int) -> float:
    """How often an operation is written in all, as the publisher's tool merges so many equal releases."""
    chain: list[Segment] = []
    operations = 0
    for version in range(1, releases + 1):
        chain.append(_segment(version, version + 1, CHANGES))
        operations += CHANGES
        for run in merge_candidates(chain):
            merged = _segment(run[0].from_version, run[-1].to_version, sum(part.operations for part in run))
            place = chain.index(run[0])
            chain[place : place + len(run)] = [merged]
            operations += merged.operations
    return operations / (releases * CHANGES)


def _segment(start: int, end: int, operations: int) -> Segment:
    return Segment(start, end, operations, 0, ObjectRef("1f/delta.parquet", 100 * operations, "0" * 64))


# --- wording -----------------------------------------------------------------------------------------------------


def product(what: str, *factors: tuple[float, str]) -> Line:
    total = math.prod(number for number, _ in factors)
    shown = " * ".join(f"{count(number)} {noun}" for number, noun in factors)
    return Line(what, shown, f"{count(total)}, {per_second(total)}")


def cpu(what: str, seconds: float, arithmetic: str) -> Line:
    return Line(what, arithmetic, f"{count(seconds)} s, {seconds / DAY:.2g} cores")


def count(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or float(number).is_integer() else f"{number:.3g}"


def per_second(number: float) -> str:
    return f"{count(number / DAY)} a second"


def rate(size_in_bytes: float) -> str:
    return f"{count(size_in_bytes * 8 / DAY / 1e6)} Mbit/s"


def size(number: float) -> str:
    """1_500_000 -> "1.5 MB"."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number:.0f} B"


def table(lines: Iterable[Line]) -> str:
    rows = [f"| {line.what} | {line.sum.replace(' * ', TIMES)} | {line.result} |" for line in lines]
    return "\n".join(["| a day | arithmetic | result |", "|---|---|---|", *rows])


def page(m: Measured) -> str:
    """The whole page."""
    return TEXT.format(
        publishers=PUBLISHERS,
        members=count(MEMBERS),
        entries=f"{ENTRIES // 1_000_000} million",
        each=f"{ENTRIES // PUBLISHERS // 1_000_000} million",
        releases=RELEASES,
        changes=CHANGES,
        daily=f"{PUBLISHERS * RELEASES * CHANGES / 1e6:.2f} million",
        share=f"{RELEASES * CHANGES * PUBLISHERS / ENTRIES:.1%}".replace("%", " %"),
        publishing=table(publishing(m)),
        following=table(following(m)),
        nightly=table(nightly(m)),
        storage=table(storage(m)),
    )


TEXT: Final = """# What a coalition costs to serve

Written by `python -m benchmarks.scale` from `benchmarks/results.json`: the figures of [performance](performance.md),
multiplied. Processor seconds are of the machine that was measured; the rest holds anywhere.

{publishers} publishers with a list of {each} entries each ({entries} in all: sha256, md5, sha1, pdq and four metadata
columns), {members} members that may read all of them, a release of every list every five minutes, {releases} a day, of
{changes} changes each: {daily} changes a day, {share} of everything, which is far more than any list of today.

## Publishing

{publishing}

The figures of a release were measured on ten million entries, so they are upper bounds for a million. A base was
measured as a first release of a million.

## Members that take every release at once

{following}

The most that can be asked for: every member polls and syncs every list every five minutes. One poll covers all
lists; a list then costs the signed metadata, the manifest and the delta. Two things bound it, and neither is the size
of a list: the web processes' time for a request, and a row and a leaf of the log for each manifest served, which are
the record that the hub keeps. The acknowledgement that follows each sync is one request more and as much again to keep.

## Members that sync once a night

{nightly}

The same changes, merged: a member fetches at most twice the operations published since it last came.

## Storage

{storage}

## Which parts run where

| part | machines | what decides |
|---|---|---|
| web: `gunicorn config.wsgi` | as many as the cores above, behind one balancer; stateless | requests |
| objects | nginx by `X-Accel-Redirect` on the web machines, or S3 by presigned address | bytes |
| worker: `celery worker` | one machine with 1 GiB for each job done at a time; two, so that one may fail | releases |
| beat | one process, anywhere | nothing: it sends a few messages a minute |
| PostgreSQL | one machine and a standby | deliveries and their log, not entries: those are never rows |
| broker | RabbitMQ or Valkey beside the database | a message a release |
| publisher | the hotline's own: 1 GiB and three times its list on disk | its list |
| member | its own: 300 MiB and one and a half times the lists it holds on disk | its lists |
"""


def main() -> int:
    """1 when figures are missing."""
    try:
        measured = Measured.of(figures_of(results.load()))
    except MissingFigureError as error:
        print(error, file=sys.stderr)
        return 1
    PAGE.write_text(page(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
