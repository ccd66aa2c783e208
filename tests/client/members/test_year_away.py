"""A member that was away for long: few requests, and at most twice the operations that were published meanwhile."""

from __future__ import annotations

from hashshare.wire.chain import merge_candidates
from hashshare.wire.manifest import Segment
from hashshare.wire.objects import ObjectRef
from tests.client.members.aurora import Aurora, Item, Operations, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys, sync

Row = tuple[int, str | None, Item | None]
RELEASES = 12_000
"""A year of one about every 45 minutes; how requests grow to 105,120 is for benchmarks.histories."""
WORST = 42
"""Requests, of the worst shape of history that was found; releases of equal size need about 18."""


def long_history(aurora: Aurora, releases: int) -> int:
    """As many releases as the publisher's tool makes, merged after each by its rule; how many operations they had."""
    contents: dict[tuple[int, int], dict[bytes, Row]] = {
        (part.from_version, part.to_version): dict(aurora.history[part.to_version].rows) for part in aurora.segments
    }
    published, start = 0, aurora.version
    chain = list(aurora.segments)
    for version in range(start, start + releases):
        item = Item(f"release {version}".encode())
        rows: dict[bytes, Row] = {item.sha256: (1, None, item)}
        if version % 10 == 0:
            gone = Item(f"release {version - 5}".encode())
            if aurora.live.pop(gone.sha256, None):
                rows[gone.sha256] = (2, "other", None)
        aurora.live[item.sha256] = item
        contents[version, version + 1] = rows
        published += len(rows)
        chain.append(counted(version, version + 1, rows))
        for run in merge_candidates(chain):
            span = (run[0].from_version, run[-1].to_version)
            fold: dict[bytes, Row] = {}
            for part in run:
                fold |= contents.pop((part.from_version, part.to_version))
            contents[span] = fold
            place = chain.index(run[0])
            chain[place : place + len(run)] = [counted(*span, fold)]
    aurora.segments = tuple(aurora._segment(*span, Operations(rows)) for span, rows in sorted(contents.items()))
    aurora._publish(start + releases)
    return published


def counted(start: int, end: int, rows: dict[bytes, Row]) -> Segment:
    """For the rule, which looks at counts alone."""
    withdrawals = sum(op == 2 for op, _, _ in rows.values())
    return Segment(start, end, len(rows) - withdrawals, withdrawals, ObjectRef("", 0, ""))


def test_it_catches_up_with_thousands_of_releases(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(50))
    sync(cobalt, aurora)
    published = long_history(aurora, RELEASES)
    north.requests.clear()
    done = sync(cobalt, aurora)
    fetched = [path for path in north.paths() if path.endswith(".parquet")]
    assert (done.before, done.version, done.full) == (2, 2 + RELEASES, False)
    assert done.segments == len(fetched) <= WORST
    assert len(north.requests) - len(fetched) <= 7
    assert (done.upserts or 0) + (done.withdrawals or 0) <= 2 * published
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_below_the_floor_it_goes_on_by_itself_from_the_base(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """The hub has pruned what the member would need; the cron job needs nobody's help."""
    aurora.release(items(50))
    assert cobalt.run("sync").status == 0
    for _ in range(5):
        aurora.release(items(3))
    aurora.renew_base(shard_entries=20)
    aurora.drop_segments()
    aurora.release(items(3))
    for path in [path for path in aurora.objects if any(f".delta-{n}-" in path for n in range(1, 7))]:
        del aurora.objects[path]
    north.requests.clear()
    done = cobalt.run("sync", "--json")
    row = done.json["lists"][0]
    assert (done.status, row["before"], row["version"], row["full"]) == (0, 2, 8, True)
    assert (row["segments"], row["purged"]) == (sum(path.endswith(".parquet") for path in north.paths()), 8)
    assert held_keys(cobalt, aurora) == set(aurora.live)
