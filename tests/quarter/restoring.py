"""The act of the quarter in which everything that the hub has is lost, three nights after its last backup."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from django.db import connection

from tests.quarter.aurora import DOMAIN, LIST
from tests.quarter.machines import manage
from tests.quarter.members import Member
from tests.quarter.quarter import Quarter

LOST_RELEASES: Final = 3
"""Published between the two acts below, and held by the members."""


def hub_backed_up(it: Quarter) -> None:
    """While it runs; the standby key is not in it, it lies in the safe."""
    assert "checked while written" in manage("backup", backup_of(it))


def backup_of(it: Quarter) -> Path:
    return it.offline / "north.tar"


def hub_lost_and_restored(it: Quarter) -> None:
    """It signs and takes nothing until told to recover; then the hotline's next publication sends what it lacks."""
    lose_everything(it)
    assert "read-only" in manage("restore", backup_of(it))
    it.north.open()
    members_are_told(it)
    hotline_is_told(it)
    assert f"hashshare publisher resend {DOMAIN}" in manage("recover")
    members_are_told(it)
    it.aurora.publish_between(it.clock.today)
    assert manage("recover", "--status").strip() == "No publisher is awaited."
    for member in it.present:
        went_over_openly(it, member)


def lose_everything(it: Quarter) -> None:
    """Database, objects, keys."""
    it.north.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    for name in ("keys", "objects"):
        shutil.rmtree(it.north.folder / name)
        (it.north.folder / name).mkdir(mode=0o700)


def members_are_told(it: Quarter) -> None:
    """It says what it is, rather than what it was: that would be a rollback, which alarms them rightly."""
    for member in it.present:
        [row] = member.syncs_with(5).document["lists"]
        assert row["error"]["type"] == "restored", row
        assert member.keys() == it.aurora.live(it.clock.today)


def hotline_is_told(it: Quarter) -> None:
    said = it.aurora.machine.run("publisher", "refresh", LIST, "--now", exit_code=5)
    assert [row["error"]["type"] for row in said["failed"]] == ["restored"], said


def went_over_openly(it: Quarter, member: Member) -> None:
    """Nothing that it holds is taken back; that its hub's log was superseded it is told once."""
    said = member.machine.say("sync")
    assert said.code == 0, said
    [row], [log] = said.document["lists"], said.document["superseded_logs"]
    assert (row["before"], row["version"]) == (it.aurora.version - 1, it.aurora.version), row
    assert log["successor"] == f"{log['origin']}/2"
    assert log["lost"] > 0, log
