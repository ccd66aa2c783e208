"""`manage.py hub`: everything as one command, nothing replaced without a word, nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.system.hub import ROOT, RunningHub, StartHub, clean_environment, wait_for


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_it_serves_and_stops_cleanly(start_hub: StartHub) -> None:
    hub = start_hub()
    with urlopen(hub.url + "/readyz") as answer:
        assert answer.read() == b"ready\n"
    with urlopen(hub.url + "/healthz") as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    pids = hub.pids()
    assert set(pids) == {"web", "beat", "timetable", "worker-1", "worker-2"}
    for name in ("timetable", "worker-1", "worker-2"):
        wait_for(f"{name} to be up", lambda name=name: "ready." in hub.log(name))  # type: ignore[misc]
    assert hub.stop() == 0
    assert "hub: stopped" in hub.output()
    assert not any(alive(pid) for pid in pids.values())
    assert not (hub.data / "hub.json").exists()
    assert not list((hub.data / "postgresql").rglob("postmaster.pid"))


def test_it_says_which_program_died_and_starts_it_again(start_hub: StartHub) -> None:
    hub = start_hub(HASHSHARE_DEATHS_A_MINUTE="2")
    for name in ("worker-1", "timetable", "web", "beat"):
        pid = hub.kill(name)
        words = f"hub: {name} (pid {pid}) ended with signal SIGKILL: started again"
        wait_for(words, lambda words=words: words in hub.output())  # type: ignore[misc]
        assert hub.pids()[name] != pid
    wait_for("the web server to answer", hub._is_ready)
    words = f"worker-1 (pid {hub.kill('worker-1')}) ended with signal SIGKILL, 2 times in 60 s: it rests for 60 s"
    wait_for(words, lambda: words in hub.output())
    assert set(hub.pids()) == {"web", "beat", "timetable", "worker-2"}
    assert hub._is_ready()
    assert hub.stop() == 0, "what rests holds nothing up"


def test_it_takes_everything_down_when_it_is_killed_itself(start_hub: StartHub) -> None:
    hub = start_hub()
    assert hub.process is not None
    pids = hub.pids()
    hub.process.kill()
    hub.process.wait()
    wait_for("the programs to stop", lambda: not any(alive(pid) for pid in pids.values()))
    hub.start()  # and the next start needs no tidying
    assert set(hub.pids()) == set(pids)


def test_it_comes_back_after_its_database_was_killed(start_hub: StartHub) -> None:
    hub = start_hub()
    (pidfile,) = (hub.data / "postgresql").glob("*/postmaster.pid")
    os.kill(int(pidfile.read_text().split()[0]), signal.SIGKILL)
    wait_for("the hub to be ready again", hub._is_ready)


def test_it_verifies_as_many_at_a_time_as_it_is_told(start_hub: StartHub) -> None:
    assert start_hub("--workers", "3").workers() == ["worker-1", "worker-2", "worker-3"]


def test_it_names_the_remedy_when_the_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = manage("hub", "--port", str(port), HASHSHARE_DATA=str(tmp_path))
    assert said.returncode == 1
    assert said.stderr.strip() == (
        f"CommandError: Port {port} is taken. Choose another: manage.py hub --port {port + 1}"
    )


def test_it_runs_once_on_a_data_folder(running_hub: RunningHub) -> None:
    said = running_hub.manage("hub", "--port", "1", check=False)
    assert said.returncode == 1
    assert running_hub.process is not None
    assert f"A hub already runs on {running_hub.data}, or is about to end: process {running_hub.process.pid}." in (
        said.stderr
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "sqlite:///x", "runs on PostgreSQL only"),
        ("HASHSHARE_CACHE_URL", "memcached://x", "redis://"),
        ("HASHSHARE_PG_BIN", "/nowhere", "HASHSHARE_PG_BIN=/nowhere"),
        ("HASHSHARE_TIMETABLE", "seal_logs=0", "from 1 to a week"),
    ],
)
def test_it_says_in_a_line_which_setting_is_wrong(tmp_path: Path, name: str, value: str, words: str) -> None:
    said = manage("migrate", **{"HASHSHARE_DATA": str(tmp_path), name: value})
    assert said.returncode == 1
    assert words in said.stderr
    assert "Traceback" not in said.stderr


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=clean_environment(**environment), text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
