"""kill -9 of the worker while the shards of a base are verified by jobs of their own: published, once, all the same."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.hub import ROOT, RunningHub, StartHub, clean_environment
from tests.system.machines import Machine, digests, enrolled, write
from tests.system.test_hotline_publishes import LIST
from tests.system.test_killed_workers import KILLS, MOST_KILLS, kill_while_it_runs, synced

pytestmark = pytest.mark.slow

SHARDS = 8
ENTRIES = 480_000

IN_SMALL_SHARDS = f"""
from hashshare.wire import segments
segments.write_base.__kwdefaults__["shard_entries"] = {ENTRIES // SHARDS}
from hashshare.client.cli.app import main
main()
"""
"""The real program, but for the size of the shards that it writes."""

ATTEMPTS = """
from hashshare.models import Job
parts = Job.objects.filter(kind="verify_shard")
print(sorted((part.number, part.state, part.attempts) for part in parts))
"""


def publish_in_small_shards(machine: Machine, *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IN_SMALL_SHARDS, "publish", *map(str, words)],
        cwd=ROOT,
        env=clean_environment(HASHSHARE_HOME=str(machine.home)),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def parts(hub: RunningHub) -> list[tuple[int, str, int]]:
    """Number, state and attempts of every part there ever was."""
    listed = hub.manage("shell", "--no-imports", "-c", ATTEMPTS).stdout
    return [tuple(part) for part in json.loads(listed.replace("(", "[").replace(")", "]").replace("'", '"'))]


def test_it_publishes_a_base_whose_verifiers_were_killed(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_JOB_LEASE="2", HASHSHARE_TIMETABLE="sweep_jobs=1")
    machine = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    machine.run("publisher", "init", "aurora.example", "--no-passphrase")
    landed, names = 0, list[str]()
    while landed < KILLS and len(names) < KILLS:
        names.append(f"aurora.example/{LIST}-{len(names)}")
        declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
        machine.run("publisher", "list", "create", names[-1], *declared)
        rows = write(tmp_path / "rows.csv", digests(ENTRIES))
        publishing = publish_in_small_shards(machine, names[-1], rows, "--json")
        kill_while_it_runs(hub, publishing, MOST_KILLS, random.Random(names[-1]))
        output, errors = publishing.communicate(timeout=300)
        assert publishing.returncode == 0, (output, errors, hub.worker_log())
        (release,) = machine.run("release", "status", names[-1])["releases"]
        assert (release["state"], release["version"], release["entries"]) == ("published", 1, ENTRIES)
        ended = parts(hub)
        assert [(number, state) for number, state, _ in ended] == sorted(
            (number, "done") for number in range(SHARDS) for _ in names
        )
        landed = sum(attempts - 1 for _, _, attempts in ended)
    assert landed >= KILLS, f"of {len(names)} releases, only {landed} shards were being verified when a kill came"
    synced(hub, names, machine, tmp_path)
