"""Programs that keep dying: a worker rests and is tried again, any other stops all. With real, small programs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from config import supervisor
from config.supervisor import Patience, Program, Supervisor

FOR_EVER = (sys.executable, "-S", "-c", "import time; time.sleep(600)")


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.02)


def watched(
    *programs: Program, patience: Patience, until: Callable[[list[str]], bool]
) -> tuple[int, list[str], list[list[str]]]:
    """Run them until `until` is true of what was said: the result, what was said, and which ran after each change."""
    said: list[str] = []
    running: list[list[str]] = []

    def started(programs: Sequence[Program]) -> None:
        running.append([program.name for program in programs])

    def look() -> bool:
        if until(said):
            os.kill(os.getpid(), signal.SIGTERM)
        return False

    watcher = Supervisor(programs, say=said.append, started=started, patience=patience)
    return watcher.run(is_ready=look, ready=lambda: None), said, running


def test_a_worker_that_keeps_dying_rests_while_the_others_go_on() -> None:
    web, worker = Program("web", FOR_EVER), Program("worker-1", ("sh", "-c", "exit 3"), may_rest=True)
    patience = Patience(deaths=2, rest=0.5)
    result, said, running = watched(web, worker, patience=patience, until=lambda said: len(said) == 5)
    assert result == 0
    words = [
        "exit status 3: started again",
        "2 times in 60 s: it rests for 0.5 s",
        "worker-1 has rested: started again",
    ]
    for number, line in enumerate(said):
        assert words[number % 3] in line
    assert running == [["web", "worker-1"]] * 2 + [["web"]] + [["web", "worker-1"]] * 2 + [["web"]]
    assert not any("web" in line for line in said)


def test_a_worker_that_does_well_after_its_rest_is_left_alone(tmp_path: Path) -> None:
    """It dies thrice; what made it die is over then."""
    deaths = tmp_path / "deaths"
    dying = f'echo >> {deaths}; [ "$(wc -l < {deaths})" -gt 3 ] && exec sleep 600; kill -9 $$'
    worker = Program("worker-1", ("sh", "-c", dying), may_rest=True)

    looks = iter(range(10))
    result, said, _ = watched(
        worker,
        patience=Patience(deaths=3, rest=0.1),
        until=lambda said: len(said) == 4 and next(looks, None) is None,
    )
    assert result == 0
    assert ["signal SIGKILL" in line for line in said] == [True, True, True, False]


def test_any_other_program_that_keeps_dying_stops_all() -> None:
    web, worker = Program("web", ("sh", "-c", "exit 4")), Program("worker-1", FOR_EVER, may_rest=True)
    result, said, _ = watched(web, worker, patience=Patience(deaths=2), until=lambda said: False)
    assert result == 1
    assert "exit status 4, 2 times in 60 s: stopping everything" in said[-1]
    assert worker.process is not None and worker.process.poll() == -signal.SIGTERM


def test_deaths_that_lie_apart_are_no_reason() -> None:
    web = Program("web", ("sh", "-c", "exit 4"))
    patience = Patience(deaths=2, within=0.0)
    result, said, _ = watched(web, patience=patience, until=lambda said: len(said) == 4)
    assert result == 0
    assert all("started again" in line for line in said)
