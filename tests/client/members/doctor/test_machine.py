"""This machine's own faults: its clock, its key's file, its disk, a rotation that was not ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hashshare.client import next_key
from hashshare.client.doctor.machine import judge_disk
from hashshare.client.organisation_keys import note_end
from hashshare.wire.errors import NetworkError
from tests.client.members.conftest import Cobalt
from tests.client.members.doctor.conftest import doctor
from tests.client.members.north import Fault, North


@pytest.mark.parametrize(("ahead", "words"), [(4_000, "1 hour behind"), (-4_000, "1 hour ahead of")])
def test_a_wrong_clock(healthy: Cobalt, north: North, ahead: float, words: str) -> None:
    north.clock_ahead = ahead
    told = doctor(healthy)
    assert words in told.bad("clock")["says"]
    assert told.status == 7


def test_a_clock_that_is_a_little_off(healthy: Cobalt, north: North) -> None:
    north.clock_ahead = 170
    told = doctor(healthy)
    assert (told.status, "2 minutes behind" in told.warned("clock")["says"]) == (0, True)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read(healthy: Cobalt, mode: int) -> None:
    healthy.home.key_path.chmod(mode)
    told = doctor(healthy, "--offline")
    assert f"mode {mode:04o}" in told.bad("key")["says"]
    assert f"chmod 600 {healthy.home.key_path}" in told.bad("key")["next_step"]
    assert told.status == 1


@pytest.mark.parametrize("damage", ["gone", "spoilt"])
def test_a_key_that_cannot_be_read(healthy: Cobalt, damage: str) -> None:
    path = healthy.home.key_path
    path.unlink() if damage == "gone" else path.write_text("-----BEGIN NONSENSE-----")
    assert doctor(healthy).status == 3
    assert "backup" in doctor(healthy).bad("key")["next_step"]


@pytest.mark.parametrize(("days", "state"), [(29, "warn"), (31, "good"), (-1, "bad")])
def test_a_key_near_its_end(healthy: Cobalt, days: int, state: str) -> None:
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    note_end(healthy.home, healthy.home.config().key_id, end.isoformat())
    [row] = doctor(healthy, "--offline").of("key")
    assert row["state"] == state


def test_a_rotation_that_was_cut_off(healthy: Cobalt, north: North) -> None:
    north.faults.append(Fault("/keys", cut=5))
    with pytest.raises(NetworkError):
        next_key.rotate(healthy.home, name="sync-01", days=365, overlap_hours=1)
    assert "hashshare key rotate" in doctor(healthy).warned("key")["next_step"]
    assert healthy.call("sync").status == 0
    assert doctor(healthy).ran.json["warn"] == 0


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (10 << 20, 1 << 40, "bad"),
        (500 << 20, 100 << 30, "warn"),
        (500 << 20, 1 << 30, "good"),
        (9 << 30, 1 << 40, "good"),
    ],
)
def test_a_disk_that_is_nearly_full(free: int, total: int, state: str) -> None:
    assert judge_disk("/srv", free=free, total=total).state == state
