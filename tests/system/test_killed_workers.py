"""kill -9 of the worker while it verifies: the release still ends published, once, and nothing is half there."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub, StartHub
from tests.system.machines import Machine, digests, enrolled, write
from tests.system.test_hotline_publishes import LIST

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("HASHSHARE_TEST_KILLS", "3"))
"""How many must land inside a verification."""

ENTRIES = 400_000
"""Enough for a verification of a few tenths of a second, so that most kills land inside it."""

LONGEST_WAIT = 0.12
"""Seconds from the start of a verification to its kill, at most."""

MOST_KILLS = 3
"""Of one release."""


def claims(hub: RunningHub) -> int:
    """How often a worker has taken up a verification."""
    return hub.worker_log().count("Verifying aurora.example/")


def kill_while_it_runs(hub: RunningHub, publishing: subprocess.Popen[str], kills: int, moments: random.Random) -> None:
    """Kill the worker at a random moment of each attempt, `kills` times at most, until the command has ended."""
    seen = claims(hub)
    while publishing.poll() is None:
        if kills and claims(hub) > seen:
            time.sleep(moments.uniform(0.0, LONGEST_WAIT))
            seen = claims(hub)
            hub.kill_workers()
            kills -= 1
        time.sleep(0.005)


def published_in_spite_of_kills(hub: RunningHub, machine: Machine, name: str, kills: int, folder: Path) -> int:
    """Publish a new list, killing the worker up to `kills` times; how many kills landed inside a verification.

    A kill after the verification has ended changes nothing, and only the job's attempts tell which it was.
    """
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    machine.run("publisher", "list", "create", name, *declared)
    rows = write(folder / f"{name.partition('/')[2]}.csv", digests(ENTRIES))
    publishing = machine.start("publish", name, rows, "--json")
    kill_while_it_runs(hub, publishing, kills, random.Random(name))
    output, errors = publishing.communicate(timeout=300)
    assert publishing.returncode == 0, (output, errors, hub.worker_log())
    done = json.loads(output)
    assert (done["version"], done["entries"]) == (1, ENTRIES)
    (release,) = machine.run("release", "status", name)["releases"]
    assert release["state"] == "published"
    return int(done["job"]["attempts"]) - 1


def test_it_ends_every_release_that_was_being_verified(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_JOB_LEASE="2", HASHSHARE_TIMETABLE="sweep_jobs=1")
    machine = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    machine.run("publisher", "init", "aurora.example", "--no-passphrase")
    landed, names = 0, list[str]()
    while landed < KILLS and len(names) < 3 * KILLS:
        names.append(f"aurora.example/{LIST}-{len(names)}")
        kills = min(KILLS - landed, MOST_KILLS)
        landed += published_in_spite_of_kills(hub, machine, names[-1], kills, tmp_path)
    assert landed >= KILLS, f"of {len(names)} releases, only {landed} were killed while they were being verified"
    synced(hub, names, machine, tmp_path)


def synced(hub: RunningHub, names: list[str], machine: Machine, tmp_path: Path) -> None:
    """What a member gets is whole: every file verifies against what the hotline signed."""
    cobalt = enrolled(hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    for name in names:
        cobalt.run("subscribe", name, "--accept-terms")
        slug = machine.run("requests", name)["subscriptions"][0]["organisation"]["slug"]
        machine.run("grant", name, slug, "--until", "2999-12-31")
    cobalt.run("sync")
    for name in names:
        cobalt.run("verify", name)
