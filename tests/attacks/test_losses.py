"""A stolen feed key takes a list away bit by bit: the hub counts a week, and members count where a hub lets it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from pathlib import Path

from tests.attacks.forged import Forger
from tests.attacks.scene import DOMAIN, Attempt, Scene, Victim
from tests.system.hub import ROOT, clean_environment
from tests.system.machines import Machine, random_csv
from tests.system.test_large_withdrawals import CARELESS, most


def careless(machine: Machine, *words: str | Path) -> Attempt:
    """How the thief's program ends: Aurora's own, but that it signs whatever it is told to."""
    done = subprocess.run(
        [sys.executable, "-c", CARELESS, *map(str, words), "--json"],
        cwd=ROOT, env=clean_environment(HASHSHARE_HOME=str(machine.home)), text=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return Attempt(done.returncode, json.loads(done.stdout))


def test_bit_by_bit_the_hub_counts_a_week(scene: Scene, tmp_path: Path) -> None:
    """Each release takes less than a feed key may, and entries that came just before pay for none."""
    name = f"{DOMAIN}/slowly-{secrets.token_hex(3)}"
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "A list")
    scene.aurora.run("publisher", "list", "create", name, *words)
    all_rows = random_csv(tmp_path / "all.csv", 300)
    scene.aurora.run("publish", name, all_rows)
    more = random_csv(tmp_path / "more.csv", 20_000)
    assert careless(scene.aurora, "publish", name, more, "--changes").code == 0

    def left(count: int) -> Path:
        rows = most(all_rows, count).read_text() + "".join(more.read_text().splitlines(keepends=True)[1:])
        path = tmp_path / f"left-{count}.csv"
        path.write_text(rows)
        return path

    taking = ("--reason", "other", "--allow-withdrawals", "60")
    assert careless(scene.aurora, "publish", name, left(240), *taking).code == 0
    refused = careless(scene.aurora, "publish", name, left(180), *taking)
    assert (refused.code, refused.error["type"]) == (6, "major-required"), refused
    releases = scene.aurora.run("release", "status", name)["releases"]
    assert [row["state"] for row in sorted(releases, key=lambda row: row["version"])][-1] == "rejected"


def test_bit_by_bit_the_member_counts_too(scene: Scene, cobalt: Victim, tmp_path: Path) -> None:
    """A hub that lets the thief: four releases of thirty entries, the fourth of which is one too many."""
    forger = Forger(scene, tmp_path)
    for step in range(3):
        forger.withdraw(scene.keys_before[30 * step : 30 * (step + 1)])
        done = cobalt.sync()
        assert (done.code, cobalt.held()["version"]) == (0, 3 + step), done
    forger.withdraw(scene.keys_before[90:120])
    refused = cobalt.refused("large-loss")
    assert (refused["lost"], refused["uncovered"]) == (30, 120)
    assert cobalt.finds(scene.keys_before[90])


def test_at_one_stroke_and_behind_additions(scene: Scene, cobalt: Victim, tmp_path: Path) -> None:
    """A flood of new entries does not make the loss a small share; nor is it taken when the flood came long before."""
    forger = Forger(scene, tmp_path)
    forger.add([secrets.token_hex(32) for _ in range(3_000)])
    forger.withdraw(scene.keys_before[:150])
    cobalt.refused("large-loss")
    assert cobalt.finds(scene.keys_before[0])
