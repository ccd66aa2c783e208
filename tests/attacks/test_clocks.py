"""Time told wrongly, by the member's own machine or by the hub: nothing old becomes new by it, and it is noticed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.attacks.forged import heads
from tests.attacks.scene import LIST, Scene, Victim
from tests.system.machines import Machine

WRONG = """
import os, time, time_machine
time_machine.travel(time.time() + float(os.environ["CLOCK_IS_OFF_BY"]), tick=True).start()
"""
"""Run by Python at the start of the member's real program: the clock of its machine is off by so many seconds."""


def off_by(victim: Victim, seconds: float, folder: Path) -> Victim:
    """The same member, whose machine tells another time."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WRONG)
    environment = {"PYTHONPATH": str(folder / "site"), "CLOCK_IS_OFF_BY": str(seconds)}
    return Victim(Machine(victim.machine.home, {**victim.machine.environment, **environment}), victim.list_id)


def told(victim: Victim, *words: str) -> tuple[int, str]:
    process = victim.machine.start(*words)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output + errors


@pytest.mark.parametrize(("days", "way"), [(-30, "behind the hub"), (400, "ahead of the hub")])
def test_a_member_whose_clock_is_off_is_told(scene: Scene, cobalt: Victim, tmp_path: Path, days: int, way: str) -> None:
    """What is held stays in use either way; set right again, the machine goes on as if nothing had been."""
    wrong = off_by(cobalt, days * 86_400, tmp_path)
    code, said = told(wrong, "sync", LIST)
    assert code != 0
    assert way in " ".join(said.split()), said
    assert wrong.finds(scene.keys_before[0])
    cobalt.recovers()


def test_a_clock_set_back_makes_no_expired_list_fresh_unnoticed(scene: Scene, cobalt: Victim, tmp_path: Path) -> None:
    """A hub that froze, and tells the hour in which its last timestamp was good; a member's clock that agrees."""
    scene.lie_with(life=timedelta(seconds=-3_600))
    scene.between.clock = timedelta(seconds=-7_500)
    cobalt.refused("expired-metadata")
    wrong = off_by(cobalt, -7_500, tmp_path)
    code, said = told(wrong, "sync", LIST)
    assert (code, "2 hours earlier than it was at an earlier sync" in " ".join(said.split())) == (7, True), said


def test_a_hub_s_word_on_the_time_decides_nothing(scene: Scene, cobalt: Victim) -> None:
    """A hub that tells another year: it is said, and what is good is taken, what is expired is not."""
    scene.between.clock = timedelta(days=-365)
    code, said = told(cobalt, "sync", LIST)
    assert (code, "ahead of the hub" in " ".join(said.split()), cobalt.held()["version"]) == (7, True, 2), said
    scene.lie_with(life=timedelta(seconds=-60))
    scene.between.serve(r"/heads$", body=heads(scene))
    cobalt.refused("expired-metadata")
