"""A store with a damaged, truncated or missing file: named by `verify`, and the next sync fetches that file alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from hashshare.client.cli.layout import shortened
from hashshare.client.sealed import write_sealed
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


def zero_head(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(bytes(len(body) // 2) + body[len(body) // 2 :])


def zero_footer(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:-60] + bytes(60))


UNSEEN = [zero_head, zero_footer]
"""Damage that leaves the length as it was: no sync sees it by itself."""
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
        assert shortened(str(path)) in done.err
    assert sync(synced, aurora).segments == 0
    assert verify_list(synced.store(aurora)).entries == len(aurora.live)


def test_a_reader_says_which_file_is_missing(synced: Cobalt, aurora: Aurora) -> None:
    path = chosen(synced, aurora, "shard")
    truncate(path)
    done = synced.run("export", aurora.name)
    assert done.status == 4
    assert f"{path.name[:8]}….parquet is truncated" in done.err
    assert "hashshare sync" in done.err


READERS = {
    "export": ["export"],
    "scan": ["scan", "/etc/hostname"],
    "lookup": ["lookup", "md5:" + "0" * 32],
    "changes": ["changes", "--since", "2"],
}


@pytest.mark.parametrize("damage", UNSEEN)
@pytest.mark.parametrize("reader", READERS)
def test_what_the_engine_cannot_read_is_named_and_the_next_sync_fetches_it(
    synced: Cobalt, aurora: Aurora, north: North, reader: str, damage: Callable[[Path], None]
) -> None:
    path = chosen(synced, aurora, "delta")
    whole = path.read_bytes()
    damage(path)
    command, *rest = READERS[reader]
    done = synced.run(command, *([aurora.name] if command in ("export", "changes") else []), *rest)
    assert done.status == 4, done.err
    assert shortened(str(path)) in done.err and "was set aside" in done.err
    assert f"hashshare sync {aurora.name}" in done.err
    assert "Error" not in done.err and "SELECT" not in done.err
    assert sync(synced, aurora).segments == 1
    assert path.read_bytes() == whole


def test_an_engine_that_fails_over_files_that_are_right_keeps_its_own_words(synced: Cobalt, aurora: Aurora) -> None:
    with pytest.raises(duckdb.Error, match="nonsense"), synced.store(aurora).reading() as (engine, _, _):
        engine.execute("SELECT nonsense")
    assert verify_list(synced.store(aurora)).entries == len(aurora.live)


def test_a_record_that_names_other_objects_is_not_believed(synced: Cobalt, aurora: Aurora) -> None:
    store = synced.store(aurora)
    held = store.usable()
    deltas = tuple(dataclasses.replace(part, from_version=1) for part in held.deltas)
    write_sealed(store.folder / "current.json", dataclasses.replace(held, deltas=deltas).to_json())
    with pytest.raises(VerificationFailed, match="does not name"):
        verify_list(store)
    assert synced.run("sync", "--force").status == 0
    assert dataclasses.replace(store.usable(), applied_at=held.applied_at, losses=held.losses) == held


@pytest.mark.parametrize(
    "wrong", [("ffff", "3fff"), ('"version": 4', '"version": "abc"'), ('"entries": 149', '"entries": 148')]
)
def test_one_wrong_digit_in_the_record_is_seen_by_every_reader(
    synced: Cobalt, aurora: Aurora, north: North, wrong: tuple[str, str]
) -> None:
    """A shard's range that is too small would hide entries; the next sync writes what is right."""
    store = synced.store(aurora)
    held, path = store.usable(), store.folder / "current.json"
    text = path.read_text()
    if wrong[0] == "ffff":
        wrong = (held.base[0].high, f"{int(held.base[0].high, 16) >> 1:016x}")
    assert wrong[0] in text
    path.write_text(text.replace(*wrong))
    for command in (["lookup", "md5:" + "0" * 32], ["export", aurora.name], ["verify"]):
        done = synced.run(*command)
        assert (done.status, "is damaged" in done.err) == (4, True), done.err
        assert "hashshare sync writes it anew" in done.err
    assert sync(synced, aurora).bytes == 0
    assert dataclasses.replace(store.usable(), applied_at=held.applied_at) == held


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
def test_the_signatures_kept_with_the_manifest_are_written_anew_by_a_plain_sync(
    synced: Cobalt, aurora: Aurora, north: North, damage: Callable[[Path], None]
) -> None:
    store = synced.store(aurora)
    path = store.proof_path(store.usable().manifest_sha256)
    whole = path.read_bytes()
    damage(path)
    done = synced.run("verify")
    assert done.status == 4
    said = "is missing" if damage is Path.unlink else "is damaged"
    assert shortened(str(path)) in done.err and said in done.err
    assert sync(synced, aurora).bytes == 0
    assert path.read_bytes() == whole
    damage(path)
    assert synced.run("sync").status == 0
    assert path.read_bytes() == whole


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
