"""A real hub for tests: `manage.py hub` with real processes on a free port and a data folder of its own.

    def test_something(running_hub: RunningHub) -> None:        # shared by the tests of one pytest process
        code = running_hub.manage("invite", "--kind", "hotline", ...).stdout
        requests.get(running_hub.url + "/healthz")

    def test_a_crash(start_hub: StartHub) -> None:               # one's own, with settings by environment
        hub = start_hub(HASHSHARE_RATE_LIMIT="5/min")
        hub.kill("worker-1")                                     # SIGKILL; the hub starts it again
        assert "signal SIGKILL" in hub.output()

Both are fixtures of tests/system/conftest.py. Use them from there; nothing here is a test.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from tests import forking

ROOT: Final = Path(__file__).resolve().parents[2]
LEAN: Final = ROOT / "tests" / "lean"
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, check: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """The first true value that `check` returns; AssertionError naming `what` when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = check()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s in vain: {what}")


def clean_environment(**changes: str) -> dict[str, str]:
    """This process's environment without any setting of the hub, then `changes`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HASHSHARE_", "DATABASE_URL", "DJANGO_"))}
    if "HASHSHARE_PG_BIN" in os.environ:
        kept["HASHSHARE_PG_BIN"] = os.environ["HASHSHARE_PG_BIN"]
    if "HASHSHARE_TEST_RUN" in os.environ:
        kept["TMPDIR"] = os.environ["HASHSHARE_TEST_RUN"]  # what a killed process leaves goes with the run
    patient = {"HASHSHARE_RATE_LIMIT": "", "HASHSHARE_DEATHS_A_MINUTE": "1000", "HASHSHARE_SYNC_NOW": "1"}
    lean = os.pathsep.join(filter(None, [str(LEAN), os.environ.get("PYTHONPATH")]))
    return kept | patient | {"HASHSHARE_PG_DURABLE": "0", "PYTHONUNBUFFERED": "1", "PYTHONPATH": lean} | changes


def copy_migrated_database(folder: Path) -> None:
    """Spare a hub's first start in `folder` two seconds of work: the private PostgreSQL as every hub would make it.

    It is made once in a run of the tests; tests/system/test_demo.py and test_parts_alone.py start from nothing.
    """
    made = Path(os.environ["HASHSHARE_TEST_RUN"]) / "migrated"
    made.mkdir(mode=0o711, exist_ok=True)
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "done").exists():
            environment = clean_environment(HASHSHARE_DATA=str(made))
            subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
            (made / "done").touch()
    if (made / "postgresql").is_dir():
        subprocess.run(["cp", "-a", made / "postgresql", folder], check=True)


@dataclass(slots=True)
class RunningHub:
    """One hub: `url` without a trailing slash, `data` its data folder, `environment` what its processes see."""

    data: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    kills: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    def start(self) -> None:
        """Start the processes and wait until the hub answers."""
        with (self.data / "hub.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "hub", "--port", str(self.port), "--logs", str(self.logs), *self.options],
                cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        wait_for("the hub to be ready\n" + self.output(), self._is_ready, seconds=START_SECONDS)

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=STOP_SECONDS)

    def manage(self, *words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `manage.py WORDS` on this hub's data; its output is captured as text."""
        done = forking.run(["manage.py", *words], self.environment, seconds=seconds)
        assert not check or done.returncode == 0, f"manage.py {' '.join(words)}: {done.stdout}{done.stderr}"
        return done

    def pids(self) -> dict[str, int]:
        """Process ids by name: web, beat, timetable, worker-1, worker-2; over a broker one worker with children."""
        return dict(json.loads((self.data / "hub.json").read_text())["programs"])

    def workers(self) -> list[str]:
        """Names of the programs that verify."""
        return [name for name in self.pids() if name.startswith("worker")]

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> int:
        """Send a signal to the whole process group of a program, and return its process id."""
        pid = self.pids()[name]
        os.killpg(pid, signal_number)
        self.killed(name)
        return pid

    def kill_workers(self) -> None:
        """All that verify, whichever of them is at it."""
        for name in self.workers():
            self.kill(name)

    def killed(self, name: str) -> None:
        """Note a death of the program `name`."""
        self.kills[name] = self.kills.get(name, 0) + 1

    def output(self) -> str:
        """What `manage.py hub` itself has said so far."""
        path = self.data / "hub.out"
        return path.read_text(errors="replace") if path.exists() else ""

    def worker_log(self) -> str:
        """What all that verify have said so far."""
        return "".join(self.log(name) for name in self.workers())

    def log(self, name: str) -> str:
        """What the program `name` has said so far."""
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _is_ready(self) -> bool:
        assert self.process is None or self.process.poll() is None, f"the hub ended: {self.output()}"
        try:
            with urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200) and (self.data / "hub.json").exists()
        except (URLError, OSError):
            return False


StartHub = Callable[..., RunningHub]


class Hubs:
    """Starts hubs and, at the end, stops them and removes what they kept."""

    def __init__(self) -> None:
        self.started: list[RunningHub] = []

    def start(self, *options: str, data: Path | None = None, **environment: str) -> RunningHub:
        """A hub with `manage.py hub OPTIONS` and settings by environment, ready to answer."""
        folder = data or Path(tempfile.mkdtemp(prefix="hashshare-hub-"))
        folder.chmod(0o711)
        port = free_port()
        own = {"HASHSHARE_DATA": str(folder), "HASHSHARE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
        hub = RunningHub(folder, port, clean_environment(**(own | environment)), options)
        if data is None and "DATABASE_URL" not in environment:
            copy_migrated_database(folder)
        self.started.append(hub)
        hub.start()
        return hub

    def stop_all(self) -> None:
        from config import postgres

        for hub in self.started:
            try:
                hub.stop()
            finally:
                if "DATABASE_URL" not in hub.environment:
                    postgres.destroy(hub.data)
                shutil.rmtree(hub.data, ignore_errors=True)
