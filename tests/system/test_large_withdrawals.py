"""A stolen feed key empties no list: the real hub rejects what it signs alone, and takes what two major keys signed."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.hub import ROOT, RunningHub, clean_environment
from tests.system.machines import Machine, enrolled, make_list, random_csv

CARELESS = """
import hashshare.client.publish
hashshare.client.publish.find_need = lambda *_, **__: None
from hashshare.client.cli.app import main
main()
"""
"""The thief's own program: the very same, but that it signs whatever it is told to."""


@pytest.fixture
def aurora(running_hub: RunningHub, tmp_path: Path) -> tuple[Machine, str]:
    """A hotline with a thousand entries and two major keys, and the list's name."""
    domain = f"aurora-{secrets.token_hex(4)}.example"
    machine = enrolled(running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    name = f"{domain}/images"
    make_list(machine, name)
    machine.run("publisher", "major", domain, "--no-passphrase")
    machine.run("publish", name, random_csv(tmp_path / "all.csv", 1_000))
    return machine, name


@pytest.fixture
def cobalt(running_hub: RunningHub, aurora: tuple[Machine, str], tmp_path: Path) -> Machine:
    """A member that holds them."""
    machine, name = aurora
    member = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    root = machine.home / "publishers" / name.partition("/")[0] / "root.json"
    member.run("subscribe", name, "--accept-terms", "--root", hashlib.sha256(root.read_bytes()).hexdigest())
    [row] = machine.run("requests", name)["subscriptions"]
    machine.run("grant", name, row["organisation"]["slug"], "--until", "2999-12-31")
    member.run("sync")
    return member


def most(path: Path, kept: int) -> Path:
    """The first `kept` entries of a list's file."""
    lines = path.read_text().splitlines(keepends=True)
    made = path.with_name(f"first-{kept}.csv")
    made.write_text("".join(lines[: kept + 1]))
    return made


def stolen(machine: Machine, home: Path) -> Machine:
    """All that lies on the machine that publishes, but for the keys that real officers hold elsewhere."""
    shutil.copytree(machine.home, home)
    for role in ("root", "targets", "major-1", "major-2"):
        for path in home.glob(f"publisher/*/keys/{role}.*"):
            path.unlink()
    return Machine(home)


def test_only_two_major_keys_take_a_third_of_a_list(
    aurora: tuple[Machine, str], cobalt: Machine, tmp_path: Path
) -> None:
    machine, name = aurora
    file = most(tmp_path / "all.csv", 700)
    words = ("publish", name, file, "--reason", "other", "--allow-withdrawals", "300", "--json")
    thief = stolen(machine, tmp_path / "thief")
    process = subprocess.run(
        [sys.executable, "-c", CARELESS, *map(str, words)],
        cwd=ROOT,
        env=clean_environment(HASHSHARE_HOME=str(thief.home)),
        text=True,
        capture_output=True,
        timeout=180,
    )
    assert process.returncode == 6, process
    assert '"type": "major-required"' in process.stdout
    assert "takes 300 entries" in process.stdout
    [row] = cobalt.run("sync")["lists"]
    assert (row["changed"], row["entries"]) == (False, 1_000)
    releases = machine.run("release", "status", name)["releases"]
    assert {row["state"] for row in releases if row["version"] > 1} == {"rejected"}

    told = machine.run(*words[:-1], "--dry-run")
    assert told["major"] == {"lost": 300, "before": 0, "held": 1_000, "has_role": True}
    done = machine.run(*words[:-1])
    assert (done["published"], done["entries"]) == (True, 700)
    [row] = cobalt.run("sync")["lists"]
    assert (row["version"], row["entries"], row["withdrawals"]) == (2, 700, 300)
    assert cobalt.run("verify")["ok"] is True
