"""A member lets go of a tenth of a list in eight weeks at most, unless two of its publisher signed for more."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tuf.api.metadata import Metadata, Targets

from hashshare.client.losses import check_losses, with_loss
from hashshare.client.sealed import write_sealed
from hashshare.client.store import Held, Loss
from hashshare.client.sync import Synced, heads, sync_list
from hashshare.wire import keys
from hashshare.wire.errors import LargeLoss
from hashshare.wire.repository import read_role
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt

TODAY = datetime.now(UTC).date()


def sync(cobalt: Cobalt, aurora: Aurora, *, accept_shrink: bool = False) -> Synced:
    session = cobalt.session
    head = next(head for head in heads(session, cobalt.home) if head.list_id == aurora.list_id)
    return sync_list(session, cobalt.home, head, accept_shrink=accept_shrink)


@pytest.fixture
def many(cobalt: Cobalt, aurora: Aurora) -> list[Item]:
    """A thousand entries, held by Cobalt at version 2."""
    made = items(1_000)
    aurora.delegate_major()
    aurora.release(made)
    sync(cobalt, aurora)
    return made


def held_by(cobalt: Cobalt, aurora: Aurora) -> Held:
    held = cobalt.store(aurora).held()
    assert held is not None
    return held


def keep(cobalt: Cobalt, aurora: Aurora, held: Held) -> None:
    """As if this were what it holds."""
    write_sealed(cobalt.store(aurora).folder / "current.json", held.to_json())


def refused(cobalt: Cobalt, aurora: Aurora) -> LargeLoss:
    """Nothing of what is held changes."""
    before = cobalt.store(aurora).held()
    with pytest.raises(LargeLoss) as caught:
        sync(cobalt, aurora)
    assert cobalt.store(aurora).held() == before
    return caught.value


# --- by a stolen feed key -----------------------------------------------------------------------------------------


def test_it_refuses_a_large_loss_at_one_stroke(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    error = refused(cobalt, aurora)
    assert "would take 300 of the 1,000 entries held here and its publisher signed no major" in error.message
    assert (error.exit_code, error.facts["lost"]) == (4, 300)
    assert "--accept-shrink" in error.next_step


def test_the_command_says_so_and_keeps_the_list(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    ran = cobalt.run("sync")
    assert ran.status == 4
    assert "300 of the 1,000" in ran.err
    assert cobalt.run("lookup", f"sha256:{many[0].sha256.hex()}").out.count(aurora.name) == 1


def test_a_hundred_and_a_tenth_may_go(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:100])
    assert sync(cobalt, aurora).entries == 900


def test_many_small_releases_add_up_however_often_it_syncs(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    for start in (0, 40):
        aurora.release((), many[start : start + 40])
        sync(cobalt, aurora)
    aurora.release((), many[80:120])
    error = refused(cobalt, aurora)
    assert "would take 40 of the 920 entries held here, 120 with those of the 56 days before," in error.message


def test_after_eight_weeks_it_no_longer_counts(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:90])
    sync(cobalt, aurora)
    held = held_by(cobalt, aurora)
    old = tuple(dataclasses.replace(row, day=(TODAY - timedelta(days=56)).isoformat()) for row in held.losses)
    keep(cobalt, aurora, dataclasses.replace(held, losses=old))
    aurora.release((), many[90:180])
    assert sync(cobalt, aurora).entries == 820


def test_adding_entries_pays_for_none(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release(items(1_000), many[:150])
    assert refused(cobalt, aurora).facts["lost"] == 150


def test_adding_entries_first_allows_no_more(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release(items(4_000))
    sync(cobalt, aurora)
    aurora.release((), many[:150])
    assert refused(cobalt, aurora).facts["held"] == 5_000


@dataclass(frozen=True)
class Bare(Item):
    """The same file without its md5."""

    @property
    def md5(self) -> Any:
        return None


def test_taking_hashes_away_is_losing_entries(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release([Bare(item.content) for item in many[:150]])
    assert refused(cobalt, aurora).facts["lost"] == 150


def test_ending_entries_is_losing_them(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release([Item(item.content, expires=TODAY + timedelta(days=9)) for item in many[:150]])
    assert refused(cobalt, aurora).facts["lost"] == 150


def test_a_new_base_hides_nothing(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release(items(500), many[:150])
    aurora.release(items(10))
    aurora.renew_base()
    aurora.drop_segments()
    aurora.release(items(1))
    assert refused(cobalt, aurora).facts["lost"] == 150


def test_what_lapses_on_its_day_is_no_loss(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    lapsing = [dataclasses.replace(item, expires=TODAY) for item in items(600)]
    aurora.release(lapsing)
    assert sync(cobalt, aurora).entries == 1_600
    aurora.renew_base()
    aurora.release(items(1))
    assert sync(cobalt, aurora).entries == 1_001


def test_once_accepted_it_counts_from_there(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    assert sync(cobalt, aurora, accept_shrink=True).entries == 700
    aurora.release((), many[300:350])
    assert sync(cobalt, aurora).entries == 650


# --- with a major ------------------------------------------------------------------------------------------------


def test_it_accepts_what_a_major_covers(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    aurora.sign_major(300)
    aurora.sign_again()
    assert sync(cobalt, aurora).entries == 700


def test_it_accepts_a_major_release_in_between(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    aurora.sign_major(300)
    aurora.release(items(5), many[300:340])
    assert sync(cobalt, aurora).entries == 665
    aurora.release((), many[340:420])
    error = refused(cobalt, aurora)
    assert error.facts["uncovered"] == 120
    assert "take 80 of the 665 entries held here, 420 with those of" in error.message
    assert "cover 300" in error.message


def test_a_major_covers_no_more_than_it_says(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    aurora.sign_major(300)
    aurora.release((), many[300:450])
    assert "cover 300" in refused(cobalt, aurora).message


def test_a_major_of_before_covers_nothing_after(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.sign_major(900)
    aurora.sign_again()
    sync(cobalt, aurora)
    aurora.release((), many[:300])
    assert "signed no major" in refused(cobalt, aurora).message


def test_a_major_for_another_manifest_covers_nothing(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    """What two signed was replaced by whoever has the feed key, at a hub that lets it."""
    aurora.release((), many[:300])
    aurora.sign_major(300, manifest=b"another")
    aurora.sign_again()
    assert "signed no major" in refused(cobalt, aurora).message


def test_a_major_role_of_one_covers_nothing(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    metadata = Metadata[Targets].from_bytes(aurora.targets)
    assert metadata.signed.delegations is not None
    assert metadata.signed.delegations.roles is not None
    metadata.signed.delegations.roles["major"].threshold = 1
    metadata.signed.version += 1
    metadata.sign(keys.tuf_signer(aurora.officer))
    aurora.targets = metadata.to_bytes()
    aurora.metadata[read_role("targets", aurora.targets).name] = aurora.targets
    aurora.release((), many[:300])
    aurora.sign_major(300)
    aurora.sign_again()
    assert "cannot be told (The major role asks for fewer than 2" in refused(cobalt, aurora).message


def test_an_expired_major_role_covers_nothing(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    aurora.release((), many[:300])
    aurora.sign_major(300, life=timedelta(seconds=-1))
    aurora.sign_again()
    assert "cannot be told" in refused(cobalt, aurora).message


# --- the record --------------------------------------------------------------------------------------------------


def loss(day: int, lost: int, *, held: int = 1_000, version: int = 0) -> Loss:
    return Loss(date(2026, 11, day).isoformat(), version or day, (version or day) + 1, held, lost)


def test_syncs_of_one_day_are_one_row() -> None:
    rows = with_loss(with_loss((), loss(1, 5, held=1_000)), loss(1, 7, held=990, version=2))
    assert rows == (Loss("2026-11-01", 1, 3, 990, 12),)


def test_it_measures_against_the_fewest_held() -> None:
    rows = [loss(1, 0, held=1_000), loss(2, 0, held=50_000), loss(3, 101, held=50_000)]
    with pytest.raises(LargeLoss):
        check_losses(rows[-1], rows, name="aurora.example/images", covered=lambda after, upto: {})
    check_losses(rows[-1], rows[1:], name="aurora.example/images", covered=lambda after, upto: {})


def test_it_asks_for_majors_only_when_it_matters() -> None:
    asked: list[tuple[int, int]] = []

    def covered(after: int, upto: int) -> dict[int, int]:
        asked.append((after, upto))
        return {4: 500}

    check_losses(loss(3, 50), [loss(2, 50), loss(3, 50)], name="aurora.example/images", covered=covered)
    assert not asked
    check_losses(loss(3, 500), [loss(2, 50), loss(3, 500)], name="aurora.example/images", covered=covered)
    assert asked == [(2, 4)]


def test_a_record_from_before_losses_stood_in_it_is_read(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    document = held_by(cobalt, aurora).to_json()
    del document["losses"]
    write_sealed(cobalt.store(aurora).folder / "current.json", document)
    aurora.release((), many[:50])
    assert sync(cobalt, aurora).entries == 950
    assert [row.lost for row in held_by(cobalt, aurora).losses] == [50]


DEADLY = """
import os, pathlib, signal, sys
from hashshare.client.cli.app import main
left = int(sys.argv.pop(1))
real = pathlib.Path.replace
def replace(*given):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return real(*given)
pathlib.Path.replace = replace
main(sys.argv[1:])
"""
"""A program that is killed in place of the rename after so many; every write of state ends with one."""


def test_killed_between_any_two_renames_it_forgets_no_loss(cobalt: Cobalt, aurora: Aurora, many: list[Item]) -> None:
    """Whatever was adopted, what that took is known, once and not twice."""
    taken, swapped = 0, list[bool]()
    for renames in range(40):
        aurora.release((), many[renames : renames + 1])
        before = held_by(cobalt, aurora)
        command = [sys.executable, "-c", DEADLY, str(renames), "sync"]
        done = subprocess.run(command, env=cobalt.environment(), capture_output=True, text=True)
        held = held_by(cobalt, aurora)
        taken += before.entries - held.entries
        assert held.entries == 1_000 - taken
        assert sum(row.lost for row in held.losses) == taken
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        swapped.append(held.version > before.version)
    assert done.returncode == 0, "the program renames more often than this tries"
    assert sync(cobalt, aurora).entries == 1_000 - renames - 1
    assert set(swapped) == {False, True}, "it was killed on one side of the swap only"
