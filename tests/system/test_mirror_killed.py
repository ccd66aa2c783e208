"""kill -9 of South's workers while they copy from North: it converges, nothing is half there, and nothing is lost."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub, StartHub
from tests.system.test_hotline_publishes import digests, enrolled, write
from tests.system.two_mirrors import asked, caught_up, files, grant, let_cross, start_two

pytestmark = pytest.mark.slow

DOMAIN = "aurora.example"
NAME = f"{DOMAIN}/images"
KILLS = int(os.environ.get("HASHSHARE_TEST_KILLS", "4"))
"""How many must land inside a copy."""
ENTRIES = 300_000
LONGEST_WAIT = 0.8
"""Seconds from the start of a copy to its kill, at most."""


def copies(hub: RunningHub) -> int:
    """How often a worker has taken up a copy."""
    return hub.worker_log().count(f"Copying {DOMAIN}")


def kill_while_it_copies(south: RunningHub, kills: int, moments: random.Random) -> None:
    seen, until = copies(south), time.monotonic() + 120
    while kills and time.monotonic() < until:
        if copies(south) > seen:
            time.sleep(moments.uniform(0.0, LONGEST_WAIT))
            south.kill_workers()
            seen, kills = copies(south), kills - 1
        time.sleep(0.01)
    assert not kills, "too few copies began"


def test_it_converges(start_hub: StartHub, tmp_path: Path) -> None:
    north, south = start_two(start_hub, HASHSHARE_JOB_LEASE="2")
    aurora = enrolled(north, tmp_path / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
    aurora.run("publisher", "init", DOMAIN, "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    aurora.run("publisher", "list", "create", NAME, *declared, "--redistribution", "federation")
    keys, moments = digests(ENTRIES), random.Random(20261128)
    aurora.run("publish", NAME, write(tmp_path / "a.csv", keys))
    let_cross(north, south, DOMAIN)
    kill_while_it_copies(south, KILLS, moments)
    caught_up(north, south, NAME)
    aurora.run("publish", NAME, write(tmp_path / "b.csv", keys + digests(50_000)))
    kill_while_it_copies(south, 2, moments)
    caught_up(north, south, NAME)
    at_home, here = files(north, DOMAIN), files(south, DOMAIN)
    assert {name: at_home.get(name) for name in here} == here
    assert {name for name in at_home if "/" in name} == {name for name in here if "/" in name}
    assert asked(south, "[r.version for r in Release.objects.order_by('version')]") == [1, 2]
    assert asked(south, "Job.objects.filter(state='failed').count()") == 0
    cobalt = enrolled(south, tmp_path / "cobalt", kind="member", name="Cobalt")
    grant(south, DOMAIN, "organisation__slug='cobalt'")
    cobalt.run("sync")
    cobalt.run("verify", NAME)
