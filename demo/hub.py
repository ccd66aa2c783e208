"""A hub of its own on loopback: `manage.py hub` in a fresh folder, and `manage.py` commands against it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from demo.observer import Login
from demo.stage import REPOSITORY, DemoFailedError, Stage

READY_WITHIN = 120.0
STOP_WITHIN = 30.0
SERVERS = ("DATABASE_URL", "HASHSHARE_BROKER_URL", "HASHSHARE_CACHE_URL", "HASHSHARE_OBJECTS", "HASHSHARE_KEYS")
"""Left out of the environment, so that the demo's hub uses nothing but its own folder."""

HURRIED = ",".join(
    f"{job}={seconds}"
    for seconds, jobs in {
        5: ("roll_up_statistics", "seal_logs", "count_entries", "publish_statistics"),
        2: ("mirror_peers", "relay_requests", "send_reports"),
    }.items()
    for job in jobs
)
"""What a hub does every minute or ten, more often: nobody watches a demo to wait."""


@dataclass(slots=True)
class Hub:
    """A hub's process group, its folder and its address."""

    data: Path
    port: int
    stage: Stage
    name: str = "North"
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    @property
    def env(self) -> dict[str, str]:
        """What `manage.py` needs to find this hub."""
        told = {"HASHSHARE_PUBLIC_URL": self.url, "HASHSHARE_NAME": self.name, "HASHSHARE_TIMETABLE": HURRIED}
        return {"HASHSHARE_DATA": str(self.data), "HASHSHARE_MIRROR_SECONDS": "2", **told}

    def start(self) -> None:
        """Start the hub and wait until it is ready; raises DemoFailedError with the end of its log if it is not."""
        self.stage.command(f"python manage.py hub --port {self.port}")
        inherited = {name: value for name, value in os.environ.items() if name not in SERVERS}
        with self.log.open("ab") as log, self.stage.console.status("  …"):
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "hub", "--port", str(self.port)],
                cwd=REPOSITORY,
                env={**inherited, **self.env},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DemoFailedError(f"The hub ended with {self.process.returncode}:\n{self._log_end()}")
            try:
                if requests.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except requests.RequestException:
                pass  # not listening yet
            time.sleep(0.2)
        raise DemoFailedError(f"The hub was not ready within {READY_WITHIN:.0f} s:\n{self._log_end()}")

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def manage(self, *arguments: str, env: Mapping[str, str] | None = None, expect: int = 0) -> str:
        """Run a `manage.py` command of this hub, which ends with `expect`; what it printed on stdout."""
        program, environment = [sys.executable, "manage.py"], {**self.env, **(env or {})}
        shown = f"operator of {self.name}: python manage.py"
        answer = self.stage.run(program, arguments, shown=shown, env=environment, expect=expect, as_json=False)
        return str(answer.document["text"])

    def create_operator(self, login: Login) -> None:
        """Make the operator's login; the password goes by environment, never by argument."""
        password = {"HASHSHARE_OPERATOR_PASSWORD": login.password}
        self.manage("createoperator", "--email", login.email, "--name", "Olga Operator", env=password)

    def newest_segment(self) -> Path:
        """The Parquet object that reached the object store last."""
        objects = (path for path in (self.data / "objects").rglob("*") if path.is_file())
        segments = [path for path in objects if path.read_bytes()[:4] == b"PAR1"]
        return max(segments, key=lambda path: path.stat().st_mtime_ns)

    def until(self, look: Callable[[], str], holds: Callable[[str], bool], *, within: float = 150.0) -> str:
        """Look again every second until `holds`; the last look either way."""
        deadline = time.monotonic() + within
        with self.stage.console.status("  waiting for beat's next roll-up …"):
            while not holds(seen := look()) and time.monotonic() < deadline:
                time.sleep(1)
        return seen

    def wait(self) -> None:
        """Until the hub ends by itself, or Ctrl-C."""
        if self.process is not None:
            self.process.wait()

    def stop(self) -> None:
        """End the hub as Ctrl-C would, and wait for it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise DemoFailedError(f"The hub did not end within {STOP_WITHIN:.0f} s; it was killed.") from None


def free_port(preferred: int = 8000) -> int:
    """`preferred` if nothing listens there, else one that the system picks."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoFailedError("No port is free on 127.0.0.1.")
