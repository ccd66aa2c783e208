"""kill -9 of every process of the workers, idle or busy, one by one: the next release is verified all the same."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest

from benchmarks.measure import family
from config import postgres
from config.postgres.cluster import USER
from tests.system.hub import RunningHub, StartHub, wait_for
from tests.system.machines import Machine, enrolled, make_list, random_csv

pytestmark = pytest.mark.slow

LIST = "aurora.example/images"
IDLE_KILLS = 10
BUSY_KILLS = 3
MANY = 400_000
"""Entries that take a few tenths of a second to verify."""

PATIENCE = 100
"""Seconds that a publication may take: the sweep, a lease and a half, and twice that."""


def processes(hub: RunningHub) -> list[tuple[str, int]]:
    """(program, process id) of each program that takes messages, and of its children if it has any."""
    pids = hub.pids()
    return [(name, pid) for name in (*hub.workers(), "timetable") if name in pids for pid in family(pids[name])]


def settled(hub: RunningHub, number: int, was: int) -> bool:
    """As many processes as before, without `was`, each of which has said that it is ready."""
    now = processes(hub)
    if len(now) != number or was in [pid for _, pid in now]:
        return False
    return all(hub.log(name).count("ready.") > hub.kills.get(name, 0) for name in {name for name, _ in now})


def kill_idle_ones(hub: RunningHub, number: int) -> int:
    """Kill each of the processes once, further ones too until there were `number`; how many were killed."""
    count, killed = len(processes(hub)), 0
    while killed < number:
        for place in range(count):
            name, pid = processes(hub)[place]
            if pid == hub.pids()[name]:
                hub.killed(name)
            os.kill(pid, signal.SIGKILL)
            killed += 1
            wait_for(f"{name} to be whole again", lambda pid=pid: settled(hub, count, pid))  # type: ignore[misc]
            time.sleep(0.5)  # and idle
    return killed


def aurora_at(hub: RunningHub, folder: Path) -> Machine:
    aurora = enrolled(hub, folder / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    make_list(aurora, LIST)
    wait_for("the workers to be up", lambda: settled(hub, len(processes(hub)), 0))
    return aurora


def test_it_publishes_after_idle_ones_were_killed(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_JOB_LEASE="5", HASHSHARE_TIMETABLE="sweep_jobs=1")
    aurora = aurora_at(hub, tmp_path)
    for version in (1, 2):
        assert kill_idle_ones(hub, IDLE_KILLS // 2 + 1) > IDLE_KILLS // 2
        rows = random_csv(tmp_path / f"{version}.csv", 1_000)
        done = aurora.run("publish", LIST, rows, *(["--changes"] if version > 1 else []), seconds=PATIENCE)
        assert (done["version"], done["entries"]) == (version, version * 1_000)


def test_it_publishes_when_the_busy_one_is_killed(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_JOB_LEASE="5", HASHSHARE_TIMETABLE="sweep_jobs=1")
    aurora = aurora_at(hub, tmp_path)
    landed = 0
    for version in range(1, 3 * BUSY_KILLS):
        rows = random_csv(tmp_path / "rows.csv", MANY)
        before = {name: hub.log(name).count(f"Verifying {LIST}") for name in hub.workers()}
        publishing = aurora.start("publish", LIST, rows, *(["--changes"] if version > 1 else []), "--json")
        busy = wait_for("a worker to take it up", lambda seen=before: taken_up(hub, seen))  # type: ignore[misc]
        hub.kill(busy)
        done = aurora.finish(publishing, seconds=PATIENCE)
        assert done["version"] == version
        landed += done["job"]["attempts"] > 1
        if landed == BUSY_KILLS:
            break
    assert landed == BUSY_KILLS, f"only {landed} kills came while a release was being verified"


def taken_up(hub: RunningHub, before: dict[str, int]) -> str:
    """The worker that has begun more verifications than `before` says, or nothing."""
    return next((name for name in before if hub.log(name).count(f"Verifying {LIST}") > before[name]), "")


def test_the_timetable_goes_on_while_all_of_them_are_busy(start_hub: StartHub, tmp_path: Path) -> None:
    """They are as good as busy when they stand still: a job that none of them takes is sent again by the sweep.

    That it has waited for a minute is written into its row.
    """
    hub = start_hub(HASHSHARE_TIMETABLE="sweep_jobs=1")
    aurora = aurora_at(hub, tmp_path)
    for name in hub.workers():
        os.killpg(hub.pids()[name], signal.SIGSTOP)
    try:
        publishing = aurora.start("publish", LIST, random_csv(tmp_path / "rows.csv", 100), "--json")
        address = f"host={postgres.join(hub.data)} user={USER} dbname={USER}"
        with psycopg.connect(address, autocommit=True) as connection:
            queued = "SELECT id FROM hashshare_job WHERE state = 'queued' AND kind = 'verify_release'"
            wait_for("the release to be handed over", lambda: connection.execute(queued).fetchone())
            older = "created_at = created_at - interval '1 minute', sent_at = sent_at - interval '1 minute'"
            connection.execute(f"UPDATE hashshare_job SET {older} WHERE state = 'queued'")
            resent = f"{queued} AND sent_at > created_at + interval '20 s'"
            wait_for("the sweep to send it again", lambda: connection.execute(resent).fetchone(), seconds=PATIENCE)
    finally:
        postgres.leave(hub.data)
        for name in hub.workers():
            os.killpg(hub.pids()[name], signal.SIGCONT)
    assert aurora.finish(publishing)["version"] == 1
