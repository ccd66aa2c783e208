"""The hub on other people's PostgreSQL, RabbitMQ and Valkey or Redis; and what a killed worker loses: nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.system.hub import RunningHub, StartHub, wait_for
from tests.system.machines import enrolled, make_list, random_csv
from tests.system.servers import own_database, own_queue
from tests.system.test_killed_idle_workers import aurora_at, kill_idle_ones, processes

pytestmark = pytest.mark.services

LIST = "aurora.example/images"
KILLS = 10
ROWS = 60_000


@pytest.fixture(params=["HASHSHARE_TEST_RABBITMQ_URL", "HASHSHARE_TEST_REDIS_URL"], ids=["rabbitmq", "redis"])
def broker(request: pytest.FixtureRequest) -> str:
    return os.environ[request.param]


@pytest.fixture
def hub(broker: str, start_hub: StartHub) -> Iterator[RunningHub]:
    """A hub that uses none of its own servers."""
    with ExitStack() as servers:
        database, queue = servers.enter_context(own_database()), servers.enter_context(own_queue(broker))
        hub = start_hub(
            DATABASE_URL=database,
            HASHSHARE_BROKER_URL=broker,
            HASHSHARE_CACHE_URL=os.environ["HASHSHARE_TEST_REDIS_URL"],
            HASHSHARE_QUEUE=queue,
            HASHSHARE_JOB_LEASE="4",
            HASHSHARE_TIMETABLE="sweep_jobs=1",
            HASHSHARE_RATE_LIMIT="100000/min",
        )
        yield hub
        hub.stop()


def test_it_publishes_and_syncs(hub: RunningHub, tmp_path: Path) -> None:
    aurora = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    cobalt = enrolled(hub, tmp_path / "cobalt", kind="member", name="Cobalt")
    make_list(aurora, LIST)
    aurora.run("publish", LIST, random_csv(tmp_path / "first.csv", 1_000))
    cobalt.run("subscribe", LIST, "--accept-terms")
    aurora.run("grant", LIST, "cobalt", "--until", "2099-01-01")
    (synced,) = cobalt.run("sync")["lists"]
    assert synced["entries"] == 1_000
    assert not (hub.data / "postgresql").exists()
    assert not (hub.data / "broker").exists()


@pytest.mark.slow
def test_it_publishes_after_idle_children_were_killed(hub: RunningHub, tmp_path: Path) -> None:
    """Each child reads from a pipe of its own, so none leaves a lock behind; and so do the parent and the timetable."""
    aurora = aurora_at(hub, tmp_path)
    assert len(processes(hub)) == 4
    for version in (1, 2, 3):
        assert kill_idle_ones(hub, 8) == 8
        rows = random_csv(tmp_path / f"{version}.csv", 1_000)
        done = aurora.run("publish", LIST, rows, *(["--changes"] if version > 1 else []))
        assert (done["version"], done["entries"]) == (version, version * 1_000)


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["HASHSHARE_TEST_RABBITMQ_URL"], ids=["rabbitmq"], indirect=True)
def test_it_loses_no_release_when_workers_are_killed_in_the_middle(hub: RunningHub, tmp_path: Path) -> None:
    aurora = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    make_list(aurora, LIST)
    database = hub.environment["DATABASE_URL"]
    with psycopg.connect(database, autocommit=True) as connection:
        killed = 0
        for number in range(1, 3 * KILLS):
            rows = random_csv(tmp_path / "rows.csv", ROWS)
            publishing = aurora.start("publish", LIST, rows, *(["--changes"] if number > 1 else []), "--json")
            if number > 1:  # the first has its worker to itself
                killed += killed_in_the_middle(hub, connection)
            assert aurora.finish(publishing)["version"] == number
            if killed == KILLS:
                break
        assert killed == KILLS
        states = connection.execute("SELECT state, count(*) FROM hashshare_release GROUP BY state").fetchall()
        assert states == [("published", number)]
        entries = connection.execute("SELECT entries FROM hashshare_release ORDER BY version DESC LIMIT 1").fetchone()
        assert entries == (number * ROWS,)
        unfinished = connection.execute("SELECT count(*) FROM hashshare_job WHERE state <> 'done'").fetchone()
        assert unfinished == (0,)


def killed_in_the_middle(hub: RunningHub, connection: psycopg.Connection) -> bool:
    """Kill the worker, and all its children, as soon as it verifies something; true when it had not finished."""
    job = "SELECT id FROM hashshare_job WHERE state = 'running' AND kind = 'verify_release'"
    while not (row := connection.execute(job).fetchone()):
        pass
    pid = hub.kill("worker")
    wait_for("the hub to start another worker", lambda: hub.pids()["worker"] != pid)
    attempts = connection.execute("SELECT state, attempts FROM hashshare_job WHERE id = %s", row).fetchone()
    return attempts is not None and attempts[0] == "running"
