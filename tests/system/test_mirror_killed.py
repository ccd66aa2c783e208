"""kill -9 of South's workers while they copy from North: it converges, nothing is half there, and nothing is lost."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub, StartHub
from tests.system.machines import digests, enrolled, write
from tests.system.two_mirrors import asked, caught_up, files, grant, let_cross, start_two

pytestmark = pytest.mark.slow

DOMAIN = "aurora.example"
NAME = f"{DOMAIN}/images"
KILLS = int(os.environ.get("HASHSHARE_TEST_KILLS", "3"))
"""How many must land inside a copy. One that comes after it changes nothing; the attempts tell which it was."""
MOST_ROUNDS = 10
ENTRIES = 300_000
LONGEST_WAIT = 0.4
"""Seconds from the start of a copy to its kill, at most."""
QUIET = 20.0
"""Seconds without a new copy after which there is nothing left to kill."""


def copies(hub: RunningHub) -> int:
    """How often a worker has taken up a copy."""
    return hub.worker_log().count(f"Copying {DOMAIN}")


def kill_while_it_copies(south: RunningHub, kills: int, moments: random.Random) -> None:
    """Kill the workers at a random moment of each copy, so many times at most, until no more begins."""
    seen, until = copies(south), time.monotonic() + 3 * QUIET
    while kills and time.monotonic() < until:
        if copies(south) > seen:
            time.sleep(moments.uniform(0.0, LONGEST_WAIT))
            seen = copies(south)
            south.kill_workers()
            kills, until = kills - 1, time.monotonic() + QUIET
        time.sleep(0.01)


def landed(south: RunningHub) -> int:
    return int(asked(south, "sum(job.attempts - 1 for job in Job.objects.filter(kind='mirror', attempts__gt=1))"))


def test_it_converges(start_hub: StartHub, tmp_path: Path) -> None:
    north, south = start_two(start_hub, HASHSHARE_JOB_LEASE="2")
    aurora = enrolled(north, tmp_path / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
    aurora.run("publisher", "init", DOMAIN, "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    aurora.run("publisher", "list", "create", NAME, *declared, "--redistribution", "federation")
    keys, moments, rounds = digests(ENTRIES), random.Random(20261128), 0
    while rounds < MOST_ROUNDS and (rounds == 0 or landed(south) < KILLS):
        rounds += 1
        keys += digests(ENTRIES // 6)
        aurora.run("publish", NAME, write(tmp_path / "all.csv", keys))
        if rounds == 1:
            let_cross(north, south, DOMAIN)
        kill_while_it_copies(south, KILLS, moments)
        caught_up(north, south, NAME)
    assert landed(south) >= KILLS, f"of {rounds} releases, only {landed(south)} copies were killed"
    at_home, here = files(north, DOMAIN), files(south, DOMAIN)
    assert {name: at_home.get(name) for name in here} == here
    assert {name for name in at_home if "/" in name} == {name for name in here if "/" in name}
    assert asked(south, "[r.version for r in Release.objects.order_by('version')]") == list(range(1, rounds + 1))
    assert asked(south, "Job.objects.filter(state='failed').count()") == 0
    cobalt = enrolled(south, tmp_path / "cobalt", kind="member", name="Cobalt")
    grant(south, DOMAIN, "organisation__slug='cobalt'")
    cobalt.run("sync")
    cobalt.run("verify", NAME)
