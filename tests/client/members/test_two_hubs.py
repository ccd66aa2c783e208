"""A member of two hubs: the first brings the lists, the other where it cannot, and nothing is ever rolled back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.acknowledged import told
from hashshare.client.hubs import accounts
from hashshare.client.store import ListStore
from hashshare.wire import keys, repository
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import CODE, Fault, North, running


def mirror(aurora: Aurora) -> Aurora:
    """Her repository as a mirror has it now: a byte-for-byte copy that stands still until it is copied again."""
    copied = copy.copy(aurora)
    copied.metadata, copied.objects = dict(aurora.metadata), dict(aurora.objects)
    return copied


@pytest.fixture
def south(aurora: Aurora) -> Iterator[North]:
    with running(North(publishers=[mirror(aurora)])) as hub:
        yield hub


@pytest.fixture
def both(cobalt: Cobalt, south: North) -> Cobalt:
    """Enrolled at North, then at South."""
    done = cobalt.call("hub", "add", south.url, "--code", CODE)
    assert done.status == 0, done.err
    return cobalt


def catch_up(south: North, aurora: Aurora) -> None:
    south.publishers[0] = mirror(aurora)


def dead(north: North) -> None:
    """From now on nothing comes from it."""
    north.faults = [Fault("/", status=500, times=10**6)]


def alive(north: North) -> None:
    north.faults = []


def name(hub: North) -> str:
    return hub.url.removeprefix("http://")


def sync(cobalt: Cobalt, *words: str, status: int = 0) -> Any:
    done = cobalt.call("sync", "--now", "--json", *words)
    assert done.status == status, (done.out, done.err)
    return done.json


def version(cobalt: Cobalt, aurora: Aurora) -> int:
    held = cobalt.store(aurora).held()
    assert held is not None
    return held.version


def acknowledged(hub: North) -> int:
    return hub.paths("POST").count("/api/v1/acknowledgements?size=0") + sum(
        "acknowledgements?size=" in path and not path.endswith("size=0") for path in hub.paths("POST")
    )


def test_a_home_of_one_hub_has_no_more_files_than_before(cobalt: Cobalt) -> None:
    sync(cobalt)
    assert not (cobalt.folder / "hubs.json").exists() and not (cobalt.folder / "hubs").exists()
    assert "hubs" not in sync(cobalt)


def test_the_second_hub_has_a_key_of_its_own_and_one_trust_for_both(both: Cobalt, aurora: Aurora) -> None:
    first, second = accounts(both.home)
    assert first.config.key_id != second.config.key_id
    assert (second.home.account / "key.pem").stat().st_mode & 0o077 == 0
    assert [path.name for path in (both.folder / "publishers").iterdir()] == [aurora.domain]


def test_the_first_hub_brings_the_lists_while_it_is_there(both: Cobalt, north: North, south: North) -> None:
    done = sync(both)
    assert [row["hub"] for row in done["lists"]] == [name(north)]
    assert (acknowledged(north), acknowledged(south)) == (1, 0)
    assert not [path for path in south.paths() if "/tuf/" in path and "1.root" not in path]


def test_the_second_brings_them_when_the_first_is_dead_and_that_is_no_failure(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    sync(both)
    aurora.release(items(3))
    catch_up(south, aurora)
    dead(north)
    done = both.call("sync", "--now")
    assert (done.status, version(both, aurora)) == (0, 2)
    assert f"{name(north)} gives nothing" in done.err and f"asked {name(south)} instead" in done.err
    again = sync(both)
    assert again["lists"][0]["hub"] == name(south)
    assert [(row["name"], row["answers"]) for row in again["hubs"]] == [(name(north), False), (name(south), True)]


def test_it_is_acknowledged_to_the_hub_that_delivered_and_to_the_first_once_it_is_back(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    sync(both)
    aurora.release(items(3))
    catch_up(south, aurora)
    dead(north)
    sync(both)
    assert acknowledged(south) == 1
    first, second = (told(ListStore(one.home, aurora.list_id)).taken for one in accounts(both.home))
    assert first is not None and second is not None and (first.version, second.version) == (1, 2)
    alive(north)
    before = acknowledged(north)
    sync(both)
    assert acknowledged(north) == before + 1
    at_first = told(ListStore(both.home, aurora.list_id)).taken
    assert at_first is not None and at_first.version == 2


def test_all_hubs_dead_is_what_it_was_with_one(both: Cobalt, north: North, south: North) -> None:
    sync(both)
    dead(north)
    dead(south)
    assert sync(both, status=5)["error"]["type"] == "hub-failure"


def test_a_hub_that_answers_the_poll_and_no_more_is_passed_over(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    aurora.release(items(2))
    catch_up(south, aurora)
    north.faults = [Fault("/tuf/", status=500, times=10**6)]
    done = both.call("sync", "--now")
    assert (done.status, version(both, aurora)) == (0, 2)
    assert f"brought by {name(south)}, not by {name(north)}" in done.err


def test_a_frozen_hub_is_seen_by_its_timestamp_and_the_other_asked(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    """North goes on answering and has stopped at yesterday's state; South has what was published since."""
    north.publishers[0] = frozen = mirror(aurora)
    frozen.timestamp_life = timedelta(seconds=3)
    frozen.stamp()
    for _ in range(3):
        aurora.stamp()
    aurora.release(items(4))
    catch_up(south, aurora)
    south_heads = south.publishers[0].version
    south.frozen_heads = None
    done = sync(both)
    assert (done["lists"][0]["version"], done["lists"][0]["hub"]) == (south_heads, name(south))


def test_an_expired_timestamp_at_the_first_is_no_failure_where_the_second_is_fresh(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    north.publishers[0] = ended = mirror(aurora)
    ended.timestamp_life = timedelta(seconds=-1)
    ended.stamp()
    aurora.stamp()
    aurora.stamp()
    catch_up(south, aurora)
    done = both.call("sync", "--now")
    assert done.status == 0, done.err
    assert "brought by" in done.err and "expired" in done.err.lower()


def test_a_mirror_that_lags_does_not_roll_back_what_the_first_gave(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    """The first dies before its mirror had the newest: the list stays, and that nothing fresh came is a failure."""
    aurora.release(items(5))
    sync(both)
    dead(north)
    done = sync(both, "--force", status=4)
    assert "older metadata" in done["lists"][0]["error"]["detail"]
    assert version(both, aurora) == 2


def test_a_first_hub_that_is_behind_the_other_is_told_and_no_failure(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    """As when the dead hub comes back after the other has taken over."""
    sync(both)
    north.publishers[0] = mirror(aurora)
    aurora.release(items(1))
    catch_up(south, aurora)
    dead(north)
    sync(both)
    alive(north)
    done = both.call("sync", "--now", "--force")
    assert (done.status, version(both, aurora)) == (0, 2)
    assert "older metadata" in done.err and f"not by {name(north)}" in done.err


def test_a_first_hub_that_lies_stays_an_alarm_though_the_other_brings_the_list(
    both: Cobalt, north: North, south: North, aurora: Aurora
) -> None:
    sync(both)
    north.publishers[0] = forged = mirror(aurora)
    thief = keys.generate()
    forged.sign(aurora.current, feed_key=thief)
    aurora.release(items(2))
    catch_up(south, aurora)
    for _ in range(3):
        south.publishers[0].seal()
    done = both.call("sync", "--now")
    assert (done.status, version(both, aurora)) == (4, 2), (done.out, done.err)
    assert f"at {name(north)}" in done.err
    assert both.call("verify").status == 7


def test_a_second_hub_with_another_root_is_refused_for_that_publisher(
    cobalt: Cobalt, aurora: Aurora, tmp_path: Path
) -> None:
    impostor = Aurora(tmp_path / "impostor")
    with running(North(publishers=[impostor])) as south:
        done = cobalt.call("hub", "add", south.url, "--code", CODE)
        assert done.status == 4 and "is not the one that was first seen" in done.err
        done = sync(cobalt, status=4)
        told = {row["list_id"]: row.get("error", {}).get("type") for row in done["lists"]}
        assert told == {aurora.list_id: None, impostor.list_id: "root-replaced"}


def test_lists_of_the_second_hub_alone_come_too_and_are_not_gone_when_it_is_silent(
    both: Cobalt, south: North, tmp_path: Path
) -> None:
    borealis = Aurora(tmp_path / "borealis", domain="borealis.example")
    south.publishers.append(borealis)
    assert {row["name"]: row["hub"] for row in sync(both)["lists"]}[borealis.name] == name(south)
    dead(south)
    done = both.call("sync", "--now")
    assert done.status == 5 and "could not be checked" in done.err
    assert "no longer offers" not in done.err


def test_the_order_is_changed_and_a_hub_is_left(both: Cobalt, north: North, south: North) -> None:
    assert both.call("hub", "prefer", name(south)).status == 0
    shown = both.call("hub", "list", "--json").json["hubs"]
    assert [(row["name"], row["first"]) for row in shown] == [(name(south), True), (name(north), False)]
    assert [row["hub"] for row in sync(both)["lists"]] == [name(south)]
    assert both.call("status", "--json").json["hub"] == south.url
    assert both.call("hub", "remove", name(north)).status == 2
    assert both.call("hub", "remove", name(north), "--yes").status == 0
    assert not (both.folder / "key.pem").exists()
    assert "hubs" not in sync(both)
    assert both.call("hub", "remove", name(south), "--yes").status == 2


def test_adding_it_again_with_the_same_code_after_a_kill_goes_on(cobalt: Cobalt, south: North) -> None:
    """Killed after the enrolment and before it was counted."""
    assert cobalt.call("hub", "add", south.url, "--code", CODE).status == 0
    (cobalt.folder / "hubs.json").unlink()
    key = (cobalt.folder / "hubs" / name(south).replace(":", "_") / "key.pem").read_bytes()
    assert cobalt.call("hub", "add", south.url, "--code", CODE).status == 0
    assert (cobalt.folder / "hubs" / name(south).replace(":", "_") / "key.pem").read_bytes() == key
    assert cobalt.call("hub", "add", south.url, "--code", CODE).status == 6


def test_status_and_doctor_tell_of_both(both: Cobalt, north: North, south: North) -> None:
    sync(both)
    dead(north)
    sync(both)
    status = both.call("status")
    assert f"hub 1  {name(north)}" in status.out and "silent since" in status.out and status.status == 0
    alive(north)
    dead(south)
    doctor = both.call("doctor", "--json")
    assert any(name(south) in row["says"] and row["state"] == "warn" for row in doctor.json["findings"])


def test_a_standby_hub_in_the_root_is_told_by_sync_status_and_verify(cobalt: Cobalt, aurora: Aurora) -> None:
    sync(cobalt)
    other = repository.StandbyHub("south.example", tuple(aurora._key(keys.generate()) for _ in range(2)))
    signer = keys.tuf_signer(aurora.officer)
    aurora.metadata["2.root.json"] = repository.next_root(
        aurora.root, standby_hub=other, signers=[signer], now=aurora.built_at
    )
    aurora.release(items(1))
    assert "standby hub: south.example" in cobalt.call("sync", "--now").out
    assert "names a standby hub: south.example" in cobalt.call("status").out
    assert cobalt.call("verify", "--json").json["lists"][0]["standby_hub"] == "south.example"
