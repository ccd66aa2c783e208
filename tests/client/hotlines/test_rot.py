"""A publisher's own store whose files rot without changing their length: named, set aside, fetched, and on it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hashshare.client.bases import BaseFolder
from hashshare.client.cli.layout import shortened
from hashshare.client.publisher import find_list
from hashshare.client.store import Held, ListStore
from hashshare.client.verify import verify_list
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.proof import Prover

CHANGES = ("op", "reason", *HEADER)
RENEW = ("publisher", "renew-base", LIST)
COUNT = 2000


@pytest.fixture
def feed(images: Desk, north: North, tmp_path: Path) -> Desk:
    """A list of 2,000 in its base and 20 in the segments after it, at a hub that proves what it is given."""
    north.verdict = Prover(north, tmp_path / "proof")
    images.json("publish", LIST, images.csv(entries(range(COUNT)), header=HEADER))
    images.json("publish", LIST, changes(images, *range(COUNT, COUNT + 20)), "--changes")
    return images


def changes(desk: Desk, *numbers: int) -> Path:
    return desk.csv([("upsert", "", *entry(n)) for n in numbers], header=CHANGES, name="changes.csv")


def store(desk: Desk) -> ListStore:
    return ListStore(desk.home, find_list(desk.home, LIST).list_id)


def held(desk: Desk) -> Held:
    now = store(desk).held()
    assert now is not None
    return now


def zero_head(data: bytearray) -> None:
    data[: len(data) // 10] = bytes(len(data) // 10)


def zero_foot(data: bytearray) -> None:
    data[-200:] = bytes(200)


def flip_middle(data: bytearray) -> None:
    """Hashes do not compress, so this changes some of them, and nothing that the engine would notice."""
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(it ^ 0x55 for it in data[middle : middle + 400])


Damage = Callable[[bytearray], None]
every_damage = pytest.mark.parametrize("damage", [zero_head, zero_foot, flip_middle])


def rot(path: Path, damage: Damage) -> None:
    data = bytearray(path.read_bytes())
    damage(data)
    path.write_bytes(data)


def rot_base(desk: Desk, damage: Damage) -> Path:
    path = store(desk).object_path(held(desk).base[0].sha256)
    rot(path, damage)
    return path


def assert_healed(desk: Desk, said: str, path: Path) -> None:
    assert f"{shortened(str(path))} is damaged and was set aside" in said
    verify_list(store(desk))


@every_damage
def test_a_full_list_is_compared_with_what_was_signed(feed: Desk, damage: Damage) -> None:
    path = rot_base(feed, damage)
    file = feed.csv(entries(range(COUNT + 21)), header=HEADER)
    dry = feed.run("publish", LIST, file, "--dry-run", "--json")
    assert_healed(feed, dry.stderr, path)
    assert json.loads(dry.stdout)["damaged"] == [str(path)]
    path = rot_base(feed, damage)
    done = feed.run("publish", LIST, file)
    assert done.exit_code == 0, done.output
    assert "+ 1 added\n" in done.stdout
    assert_healed(feed, done.stderr, store(feed).object_path(held(feed).base[0].sha256))
    assert held(feed).entries == COUNT + 21


def test_a_file_that_is_missing_is_named_too(feed: Desk) -> None:
    path = store(feed).object_path(held(feed).base[0].sha256)
    path.unlink()
    done = feed.run("publish", LIST, changes(feed, 5000), "--changes", "--json")
    assert json.loads(done.stdout)["damaged"] == [str(path)]
    assert "1 held file was damaged or missing and is whole again" in done.stderr
    assert feed.json("publish", LIST, changes(feed, 5001), "--changes")["damaged"] == []


@every_damage
def test_a_feed_goes_on(feed: Desk, damage: Damage) -> None:
    """It reads only what it names: the engine meets the damage, or the hub refuses what came of it."""
    path = rot_base(feed, damage)
    done = feed.run("publish", LIST, changes(feed, *range(0, COUNT, 3), 5000), "--changes", "--json")
    assert done.exit_code == 0, done.output
    assert held(feed).entries == COUNT + 21
    assert_healed(feed, done.stderr, path)
    assert json.loads(done.stdout)["damaged"] == [str(path)]


@every_damage
def test_a_withdrawal_gets_through(feed: Desk, damage: Damage) -> None:
    path = rot_base(feed, damage)
    done = feed.run("withdraw", LIST, *(entry(n)[0] for n in range(0, COUNT, 3)), "--reason", "incorrect")
    assert done.exit_code == 0, done.output
    assert held(feed).entries == COUNT + 20 - len(range(0, COUNT, 3))
    assert_healed(feed, done.stderr, path)


@every_damage
@pytest.mark.parametrize("part", ["base", "deltas"])
def test_a_base_is_built_of_what_was_signed(feed: Desk, north: North, damage: Damage, part: str) -> None:
    path = store(feed).object_path(getattr(held(feed), part)[0].sha256)
    rot(path, damage)
    built = feed.run(*RENEW, "--now", "--json")
    assert built.exit_code == 0, built.output
    assert_healed(feed, built.stderr, path)
    assert json.loads(built.stdout)["damaged"] == [str(path)]
    assert feed.json("publisher", "refresh", LIST, "--now")["lists"][0]["adopted_base"] == 2


@every_damage
def test_a_refresh_adopts_the_base_all_the_same(feed: Desk, damage: Damage) -> None:
    for number in range(3):
        feed.json("publish", LIST, changes(feed, 6000 + number), "--changes")
    feed.json(*RENEW, "--now")
    paths = [store(feed).object_path(part.sha256) for part in (*held(feed).base, *held(feed).deltas)]
    for path in paths:
        rot(path, damage)
    done = feed.run("publisher", "refresh", LIST, "--now", "--json")
    assert done.exit_code == 0, done.output
    [row] = json.loads(done.stdout)["lists"]
    assert sorted(row["damaged"]) == sorted(map(str, paths))
    verify_list(store(feed))
    assert held(feed).base_version == 5


@every_damage
def test_a_base_that_rots_while_it_waits_is_dropped(feed: Desk, damage: Damage) -> None:
    feed.json(*RENEW, "--now")
    folder = BaseFolder(find_list(feed.home, LIST))
    path = next(folder.files_folder.glob("*.parquet"))
    rot(path, damage)
    done = feed.run("publish", LIST, changes(feed, 7000), "--changes")
    assert done.exit_code == 0, done.output
    assert f"{shortened(str(path))} is damaged" in done.stderr
    assert not folder.path.exists()
    verify_list(store(feed))


@every_damage
def test_it_says_what_to_do_when_the_hub_cannot_heal_it(feed: Desk, north: North, damage: Damage) -> None:
    path = rot_base(feed, damage)
    kept = dict(north.shelf.objects)
    base = held(feed).base[0]
    north.shelf.objects[base.ref.stored_path] = bytes(base.length)
    file = feed.csv(entries(range(COUNT + 21)), header=HEADER)
    failed = feed.json("publish", LIST, file, exit_code=4)["error"]
    assert (failed["type"], failed["damaged"]) == ("wrong-digest", [str(path)])
    assert "was set aside" in failed["detail"]
    assert "could not be fetched again" in failed["detail"]
    assert f"hashshare sync {LIST}" in failed["next_step"]
    north.shelf.objects.update(kept)
    assert feed.json("publish", LIST, file)["added"] == 1
