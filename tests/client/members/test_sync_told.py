"""What a sync tells of what it did: damage that it mended, and counts that add up, over a renewed base too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hashshare.client.cli.synced import MINUS
from hashshare.client.store import Held
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt
from tests.client.members.test_sync import sync


def held(cobalt: Cobalt, aurora: Aurora) -> Held:
    state = cobalt.store(aurora).held()
    assert state is not None
    return state


# --- damage ------------------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


FILES: dict[str, Callable[[Cobalt, Aurora], Path]] = {
    "object": lambda cobalt, aurora: cobalt.store(aurora).object_path(held(cobalt, aurora).deltas[0].sha256),
    "manifest": lambda cobalt, aurora: cobalt.store(aurora).manifest_path(held(cobalt, aurora).manifest_sha256),
    "base index": lambda cobalt, aurora: cobalt.store(aurora).index_path(held(cobalt, aurora).base_index_sha256),
    "record": lambda cobalt, aurora: cobalt.store(aurora).folder / "current.json",
}


@pytest.mark.parametrize("what", FILES)
def test_it_names_the_damage_that_it_mends(cobalt: Cobalt, aurora: Aurora, what: str) -> None:
    aurora.release(items(20))
    sync(cobalt, aurora)
    path = FILES[what](cobalt, aurora)
    truncate(path)
    done = cobalt.run("sync", "--json")
    assert (done.status, done.json["lists"][0]["damaged"]) == (0, [str(path)])
    truncate(path)
    said = cobalt.run("sync")
    assert "1 held file was damaged or missing and is whole again" in said.err
    assert (path.name[:8] if what == "object" else path.name.partition("-")[0]) in said.err
    assert cobalt.run("verify").status == 0
    quiet = cobalt.run("sync")
    assert (quiet.err.count("damaged"), sync(cobalt, aurora).damaged) == (0, ())


def test_it_names_what_verify_set_aside_and_what_a_release_replaced(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(20))
    sync(cobalt, aurora)
    path = FILES["object"](cobalt, aurora)
    path.write_bytes(b"\0" * path.stat().st_size)
    assert cobalt.run("verify").status == 4
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert (done.version, done.damaged) == (aurora.version, (str(path),))


def test_a_first_sync_finds_no_damage(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(2))
    assert sync(cobalt, aurora).damaged == ()


# --- counts ------------------------------------------------------------------------------------------------------


def test_it_counts_over_a_renewed_base(cobalt: Cobalt, aurora: Aurora) -> None:
    first = items(40)
    aurora.release(first)
    sync(cobalt, aurora)
    aurora.release(items(7), first[:2])
    aurora.release(items(5), first[2:3])
    aurora.renew_base()
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert (done.before, done.version, done.entries_before, done.entries) == (2, 5, 40, 50)
    assert (done.upserts, done.withdrawals) == (13, 3)


def test_it_counts_what_nobody_can_know_as_nothing_known(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(10))
    done = sync(cobalt, aurora)
    assert (done.upserts, done.withdrawals, done.entries_before) == (None, None, None)
    aurora.release(items(10))
    aurora.renew_base()
    aurora.drop_segments()
    aurora.release(items(1))
    done = sync(cobalt, aurora)
    assert (done.upserts, done.withdrawals, done.entries_before, done.entries) == (None, None, 10, 21)


def test_changed_entries_are_not_told_as_new_ones(cobalt: Cobalt, aurora: Aurora) -> None:
    first = items(1_500)
    aurora.release(first)
    sync(cobalt, aurora)
    aurora.release([*(Item(it.content, "B") for it in first[:20]), *items(5)], first[20:23])
    done = cobalt.run("sync")
    assert f"+ 25 added or changed   {MINUS} 3 withdrawn   1,502 held (+ 2)   verified" in done.out
    row = cobalt.run("sync", "--json").json["lists"][0]
    assert (row["upserts"], row["withdrawals"], row["changed"]) == (0, 0, False)
