"""A store with a damaged, truncated or missing file: named by `verify`, and the next sync fetches that file alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hashshare.client.store import Held, ListStore
from hashshare.client.verify import verify_list
from hashshare.wire.errors import MissingObject, NotEntitled, VerificationFailed, WrongDigest
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys, sync


@pytest.fixture
def synced(cobalt: Cobalt, aurora: Aurora, north: North) -> Cobalt:
    """Three shards and two deltas are held."""
    first = items(120)
    aurora.release(first)
    aurora.renew_base(shard_entries=40)
    aurora.release(items(2), first[:3])
    aurora.release(items(30))
    sync(cobalt, aurora)
    north.requests.clear()
    return cobalt


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


DAMAGE = [flip, truncate, extend, Path.unlink]
Pick = Callable[[ListStore, Held], Path]
FILES: dict[str, Pick] = {
    "shard": lambda store, held: store.object_path(held.base[1].sha256),
    "delta": lambda store, held: store.object_path(held.deltas[0].sha256),
    "manifest": lambda store, held: store.manifest_path(held.manifest_sha256),
    "base index": lambda store, held: store.index_path(held.base_index_sha256),
}


def chosen(cobalt: Cobalt, aurora: Aurora, what: str) -> Path:
    store = cobalt.store(aurora)
    held = store.held()
    assert held is not None
    return FILES[what](store, held)


def targets(north: North) -> list[str]:
    return [path for path in north.paths() if "/targets/" in path]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("what", FILES)
def test_verify_names_it_and_a_sync_fetches_it_alone(
    synced: Cobalt, aurora: Aurora, north: North, what: str, damage: Callable[[Path], None]
) -> None:
    path = chosen(synced, aurora, what)
    whole = path.read_bytes()
    damage(path)
    with pytest.raises(MissingObject if damage is Path.unlink else (WrongDigest, MissingObject)) as found:
        verify_list(synced.store(aurora))
    assert path.name in found.value.message
    assert north.requests == []
    done = sync(synced, aurora)
    assert [asked.partition(path.stem.rpartition("-")[2])[1] != "" for asked in targets(north)] == [True]
    assert done.bytes == (len(whole) if what in ("shard", "delta") else 0)
    assert path.read_bytes() == whole
    assert not list(synced.store(aurora).folder.rglob("*.damaged"))
    assert verify_list(synced.store(aurora)).entries == len(aurora.live)


@pytest.mark.parametrize("damage", [truncate, extend, Path.unlink])
def test_a_sync_sees_a_wrong_length_by_itself(
    synced: Cobalt, aurora: Aurora, north: North, damage: Callable[[Path], None]
) -> None:
    path = chosen(synced, aurora, "shard")
    whole = path.read_bytes()
    damage(path)
    assert synced.run("sync").status == 0
    assert (len(targets(north)), path.read_bytes()) == (1, whole)


def test_verify_names_every_file_at_fault(synced: Cobalt, aurora: Aurora, north: North) -> None:
    paths = [chosen(synced, aurora, what) for what in ("shard", "delta")]
    flip(paths[0])
    paths[1].unlink()
    done = synced.run("verify", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, WrongDigest.slug)
    assert all(path.name in error["detail"] for path in paths)
    assert (error["damaged"], error["missing"]) == ([str(paths[0])], [str(paths[1])])
    assert sync(synced, aurora).segments == 2


def test_a_file_that_is_lost_while_the_list_moves_on_is_fetched_with_what_is_new(
    synced: Cobalt, aurora: Aurora, north: North
) -> None:
    chosen(synced, aurora, "shard").unlink()
    aurora.release(items(1))
    assert sync(synced, aurora).segments == 2
    assert held_keys(synced, aurora) == set(aurora.live)


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink, lambda path: path.write_bytes(b"[]")])
def test_the_record_of_what_is_held_is_written_anew(
    synced: Cobalt, aurora: Aurora, north: North, damage: Callable[[Path], None]
) -> None:
    path = synced.store(aurora).folder / "current.json"
    whole = path.read_bytes()
    damage(path)
    if damage is flip and path.read_bytes().count(b"hashshare-store/1"):
        damage(path)
        path.write_bytes(whole.replace(b"entries", b"entrees"))
    if path.exists():
        done = synced.run("verify")
        assert done.status == 4
        assert str(path) in done.err
    assert sync(synced, aurora).segments == 0
    assert verify_list(synced.store(aurora)).entries == len(aurora.live)


def test_a_reader_says_which_file_is_missing(synced: Cobalt, aurora: Aurora) -> None:
    path = chosen(synced, aurora, "shard")
    truncate(path)
    done = synced.run("export", aurora.name)
    assert done.status == 4
    assert f"{path.name[:8]}….parquet is truncated" in done.err
    assert "hashshare sync" in done.err


def test_a_record_that_names_other_objects_is_not_believed(synced: Cobalt, aurora: Aurora) -> None:
    path = synced.store(aurora).folder / "current.json"
    held = synced.store(aurora).held()
    assert held is not None
    path.write_text(path.read_text().replace('"from_version": 2,', '"from_version": 1,'))
    with pytest.raises(VerificationFailed, match="does not name"):
        verify_list(synced.store(aurora))


def test_an_object_that_the_hub_no_longer_serves_is_named(synced: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(1))
    lost = aurora.object_path("delta-4-5")
    del aurora.objects[lost]
    before = synced.store(aurora).held()
    done = synced.run("sync", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, MissingObject.slug)
    assert "delta-4-5.parquet" in error["detail"]
    assert NotEntitled.slug != error["type"]
    assert synced.store(aurora).held() == before
