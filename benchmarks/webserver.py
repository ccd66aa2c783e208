"""A Django application under gunicorn as the hub runs it, and a client that asks it one thing many times."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import cpu_of, family
from demo.hub import free_port
from demo.stage import REPOSITORY

STARTS_WITHIN, STOPS_WITHIN = 30.0, 15.0
THREADS = "8"


class ServerFailedError(RuntimeError):
    """A web server did not start, or answered with what nobody asked for."""


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int

    def cpu(self) -> float:
        """Processor seconds of the server and its worker so far."""
        return cpu_of(family(self.pid))

    def client(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, path: str, headers: Mapping[str, str], *, times: int, expect: int) -> int:
        """GET `path` over and over on one connection; bytes of all bodies. Raises ServerFailedError."""
        received = 0
        with contextlib.closing(self.client()) as client:
            for _ in range(times):
                status, body = get(client, path, headers)
                if status != expect:
                    raise ServerFailedError(f"{path} answered {status}, not {expect}: {body[:500]!r}")
                received += len(body)
        return received

    def cpu_of_asking(self, path: str, headers: Mapping[str, str], *, times: int, expect: int) -> float:
        """Processor seconds of the server for one such request."""
        before = self.cpu()
        self.ask(path, headers, times=times, expect=expect)
        return (self.cpu() - before) / times


def get(client: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    client.request("GET", path, headers=dict(headers))
    answer = client.getresponse()
    return answer.status, answer.read()


@contextlib.contextmanager
def serving(application: str, *, log: Path, env: Mapping[str, str]) -> Iterator[Server]:
    """One gunicorn with one worker of eight threads: the options of `manage.py hub`, and no access log."""
    port = free_port(0)
    command = [
        sys.executable, "-m", "gunicorn", application, "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}",
        "--workers", "1", "--threads", THREADS, "--graceful-timeout", "15", "--log-level", "warning",
        "--no-control-socket",
    ]  # fmt: skip
    inherited = {name: value for name, value in os.environ.items() if name != "GUNICORN_CMD_ARGS"}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env={**inherited, **env}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until something is answered, whatever it is."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(client), contextlib.suppress(OSError, http.client.HTTPException):
            get(client, "/healthz", {})
            return
        time.sleep(0.1)
    raise ServerFailedError(f"The web server did not start: {log.read_text(errors='replace')[-2000:]}")
