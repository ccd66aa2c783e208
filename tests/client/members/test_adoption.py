"""What the publisher merges or renews out of parts that a member holds is made there, not fetched again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hashshare.client.store import Held
from hashshare.client.verify import verify_list
from hashshare.wire import segments
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys, sync


def held_by(cobalt: Cobalt, aurora: Aurora) -> Held:
    held = cobalt.store(aurora).held()
    assert held is not None
    return held


def fetched(north: North) -> list[str]:
    """Names of the Parquet objects that were asked for since the last time."""
    names = [path.rsplit("/", 1)[-1].partition(".")[2] for path in north.paths() if path.endswith(".parquet")]
    north.requests.clear()
    return names


def is_exact(cobalt: Cobalt, aurora: Aurora) -> bool:
    """Whether the store's files are those that the manifest names from its base on, and nothing else."""
    held, store = held_by(cobalt, aurora), cobalt.store(aurora)
    past = [part for part in aurora.segments if part.to_version > aurora.base.version]
    files = {path.name for path in store.objects_folder.iterdir()}
    return (
        [part.sha256 for part in held.deltas] == [part.object.sha256 for part in past]
        and held.base_index_sha256 == aurora.base.index.sha256
        and files == {f"{part.sha256}.parquet" for part in held.base + held.deltas}
        and len({path.name for path in store.folder.glob("*.json")} - {"acknowledgement.json"}) == 4
        and not store.making_folder.exists()
    )


@pytest.fixture
def chain(cobalt: Cobalt, aurora: Aurora, north: North) -> Iterator[list[Item]]:
    """A base of several shards at version 2, then six releases, each synced; the first items of version 2."""
    first = items(200)
    aurora.release(first)
    aurora.renew_base(shard_entries=50)
    for number in range(6):
        aurora.release([*items(4), Item(first[50 + number].content, "C")], [first[number]])
        sync(cobalt, aurora)
    fetched(north)
    yield first
    assert is_exact(cobalt, aurora)
    assert held_keys(cobalt, aurora) == set(aurora.live)
    assert verify_list(cobalt.store(aurora)).entries == len(aurora.live)


def test_a_merged_segment_is_made_of_what_is_held(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    aurora.merge(2, 6)
    aurora.merge(6, 8)
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert fetched(north) == ["delta-8-9.parquet"]
    assert (done.segments, done.made) == (1, 2)
    assert [(part.from_version, part.to_version) for part in held_by(cobalt, aurora).deltas] == [(2, 6), (6, 8), (8, 9)]


def test_it_is_fetched_when_other_bytes_come_out(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with another version of the engine, here one that compresses otherwise."""
    aurora.merge(2, 6)
    aurora.release(items(1))
    written = segments._PARQUET.replace("zstd", "snappy")
    monkeypatch.setattr(segments, "_PARQUET", written)
    done = sync(cobalt, aurora)
    assert sorted(fetched(north)) == ["delta-2-6.parquet", "delta-8-9.parquet"]
    assert (done.segments, done.made) == (2, 0)


def test_a_merge_that_reaches_past_what_is_held_is_fetched(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    aurora.release(items(1))
    aurora.merge(6, 9)
    aurora.release(items(1))
    assert sync(cobalt, aurora).made == 0
    assert sorted(fetched(north)) == ["delta-6-9.parquet", "delta-9-10.parquet"]


def test_a_renewed_base_is_made_of_what_is_held(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    """Built at the version held, adopted by the next release, as the publisher's tool does it."""
    aurora.renew_base(shard_entries=40)
    aurora.release(items(2), chain[10:12])
    done = sync(cobalt, aurora)
    held = held_by(cobalt, aurora)
    assert fetched(north) == ["delta-8-9.parquet"]
    assert (done.full, done.made, len(held.base)) == (False, len(held.base), 6)
    assert (held.base_version, done.bytes < 20_000) == (8, True)


def test_a_member_that_was_behind_the_renewed_base_makes_it_too(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    aurora.release(items(2))
    aurora.renew_base(shard_entries=40)
    aurora.release(items(2))
    sync(cobalt, aurora)
    assert sorted(fetched(north)) == ["delta-8-9.parquet", "delta-9-10.parquet"]
    assert held_by(cobalt, aurora).base_version == 9


def test_a_base_in_the_middle_of_a_merged_segment_is_fetched(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    """No held or offered delta ends where the base stands, so its rows cannot be told from later ones."""
    aurora.release(items(2))
    aurora.renew_base(shard_entries=60)
    aurora.release(items(2))
    aurora.merge(8, 10)
    aurora.release(items(1))
    sync(cobalt, aurora)
    names = fetched(north)
    assert sum(name.startswith("base-9-") for name in names) == len(held_by(cobalt, aurora).base)


def test_only_the_shards_that_differ_are_fetched(
    cobalt: Cobalt, aurora: Aurora, north: North, chain: list[Item]
) -> None:
    """A held shard that is lost leaves its range to be fetched; the rest is made."""
    store = cobalt.store(aurora)
    lost = held_by(cobalt, aurora).base[1]
    store.object_path(lost.sha256).unlink()
    aurora.renew_base(shard_entries=60)
    aurora.release(items(1))
    sync(cobalt, aurora)
    names = fetched(north)
    touching = [it for it in held_by(cobalt, aurora).base if it.low <= lost.high and lost.low <= it.high]
    assert 0 < len(touching) < len(held_by(cobalt, aurora).base)
    assert sorted(names) == sorted([*(it.path.partition("/")[2] for it in touching), "delta-8-9.parquet"])


# --- what is purged ----------------------------------------------------------------------------------------------


def test_withdrawn_rows_are_gone_once_the_base_is_renewed(cobalt: Cobalt, aurora: Aurora, chain: list[Item]) -> None:
    assert held_by(cobalt, aurora).purged == 2
    aurora.renew_base()
    aurora.release(items(1))
    assert sync(cobalt, aurora).purged == 9
    aurora.release((), chain[20:21])
    assert sync(cobalt, aurora).purged == 9
    aurora.release(items(1))
    assert sync(cobalt, aurora).purged == 9
    status = cobalt.run("status", "--json").json["lists"][0]
    assert (status["version"], status["purged"]) == (11, 9)
    assert "PURGED" in cobalt.run("status").out
    assert cobalt.run("sync", "--json").json["lists"][0]["purged"] == 9


def test_nothing_counts_as_purged_while_a_reader_keeps_the_old_files(
    cobalt: Cobalt, aurora: Aurora, chain: list[Item]
) -> None:
    store = cobalt.store(aurora)
    with store.reading() as (_, _, state):
        aurora.renew_base()
        aurora.release(items(1))
        assert sync(cobalt, aurora).purged == 2
        assert sync(cobalt, aurora).purged == 2
        assert all(path.is_file() for path in state.paths)
    assert sync(cobalt, aurora).purged == 9
    assert held_by(cobalt, aurora).purged == 9
    assert not any(path.is_file() for path in state.paths)


def test_a_list_that_withdrew_nothing_is_purged_to_its_head(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(3))
    assert sync(cobalt, aurora).purged == 2


def test_lapsed_entries_are_left_out_as_of_the_moment_the_base_was_built(
    cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    first = items(40)
    today = datetime.now(UTC).date()
    aurora.release(Item(item.content, expires=today + timedelta(days=number - 20)) for number, item in enumerate(first))
    aurora.renew_base()
    aurora.release(items(5))
    sync(cobalt, aurora)
    fetched(north)
    aurora.renew_base(built_at=datetime.now(UTC).replace(microsecond=0) - timedelta(days=3))
    aurora.release(items(1))
    assert sync(cobalt, aurora).made == 1
    assert fetched(north) == ["delta-3-4.parquet"]
    assert verify_list(cobalt.store(aurora)).entries == len(aurora.live) < 46
