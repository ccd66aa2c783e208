"""`manage.py hub`: the whole hub on one machine, as one command that is stopped with Ctrl-C."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import connections

from config.supervisor import Patience, Program, Supervisor
from config.unfinished import refuse_unfinished

WAIT_FOR_ANSWER_SECONDS: Final = 1.0
CELERY: Final = (sys.executable, "-m", "celery", "--quiet", "-A", "config")


class Command(BaseCommand):
    help = (
        "Run the hub: private PostgreSQL (unless DATABASE_URL is set), migrations, web server, Celery's workers and "
        "beat. Stops with Ctrl-C or SIGTERM."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: 8000)")
        parser.add_argument("--web", type=int, default=1, help="web processes (default: 1; each has --threads)")
        parser.add_argument("--threads", type=int, default=8, help="threads of a web process (default: 8)")
        parser.add_argument("--workers", type=int, default=2, help="jobs done at the same time (default: 2)")
        parser.add_argument("--logs", type=Path, help="folder for a log file per program (default: here)")

    def handle(self, *args: Any, **options: Any) -> None:
        held = _only_one_hub(settings.HASHSHARE_DATA)
        refuse_unfinished(settings.HASHSHARE_DATA)
        _port_is_free(options["host"], options["port"])
        public = _public_url(options["host"], options["port"])
        call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()
        if options["logs"]:
            options["logs"].mkdir(parents=True, exist_ok=True)
        address = f"http://{_reachable(options['host'])}:{options['port']}"
        state = settings.HASHSHARE_DATA / "hub.json"
        supervisor = Supervisor(
            _programs(options, public),
            say=self._say,
            started=lambda programs: _write_state(state, url=address, public=public, programs=programs),
            patience=Patience(deaths=settings.HASHSHARE_DEATHS_A_MINUTE),
        )
        status = supervisor.run(
            is_ready=lambda: _answers(f"{address}/healthz"), ready=lambda: self._ready(address, public, supervisor)
        )
        state.unlink(missing_ok=True)
        held.close()
        self._say("stopped" if status == 0 else "gave up")
        if status:
            sys.exit(status)

    def _ready(self, address: str, public: str, supervisor: Supervisor) -> None:
        pids = ", ".join(f"{program.name} {program.pid}" for program in supervisor.programs)
        self._say(f"ready at {address} (public address {public}; pids: {pids})")

    def _say(self, line: str) -> None:
        self.stdout.write(f"hub: {line}")
        self.stdout.flush()


def _programs(options: dict[str, Any], public: str) -> list[Program]:
    """In the order in which they are stopped: nothing new is asked for, then nothing new comes in, then work ends."""
    environment = {"HASHSHARE_PUBLIC_URL": public}
    workers = _workers(options["workers"])
    commands = {
        "beat": [*CELERY, "beat", "--pidfile", ""],
        "web": [
            sys.executable, "-m", "gunicorn", "config.wsgi:application", "--worker-class", "gthread",
            "--bind", f"{options['host']}:{options['port']}", "--workers", str(options["web"]),
            "--threads", str(options["threads"]), "--graceful-timeout", "15", "--log-level", "warning",
            "--no-control-socket",
        ],
        "timetable": _worker("timetable", "--pool", "solo", queue=settings.HASHSHARE_TIMETABLE_QUEUE),
        **workers,
    }  # fmt: skip
    logs: Path | None = options["logs"]
    return [
        Program(name, command, environment, logs / f"{name}.log" if logs else None, may_rest=name in workers)
        for name, command in commands.items()
    ]


def _workers(number: int) -> dict[str, list[str]]:
    """So many jobs at a time: workers of one process each over files, else the children of one (CELERY_WORKER_POOL)."""
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    if not settings.HASHSHARE_BROKER_IN_FILES:
        return {"worker": _worker("worker", "--concurrency", str(number), queue=queue)}
    names = [f"worker-{place}" for place in range(1, number + 1)]
    return {name: _worker(name, queue=queue) for name in names}


def _worker(name: str, *options: str, queue: str) -> list[str]:
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")
    return [*CELERY, "worker", "--hostname", f"{name}@%h", "--queues", queue, *options, *quiet]


def _write_state(path: Path, *, url: str, public: str, programs: Sequence[Program]) -> None:
    """Let other programs on this machine find the hub: its addresses and the process ids."""
    pids = {program.name: program.pid for program in programs}
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"url": url, "public": public, "pid": os.getpid(), "programs": pids}) + "\n")
    draft.replace(path)


def _only_one_hub(folder: Path) -> TextIOWrapper:
    """A lock on the data folder, which says whose it is; the kernel drops it with this process."""
    lock = (folder / "hub.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise CommandError(
            f"A hub already runs on {folder}, or is about to end: process {lock.read().strip() or 'unknown'}. "
            f"Stop it and wait until it has ended, or set HASHSHARE_DATA to another folder."
        ) from error
    lock.truncate(0)
    print(os.getpid(), file=lock, flush=True)
    return lock


def _port_is_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from error
            raise CommandError(f"Port {port} is taken. Choose another: manage.py hub --port {port + 1}") from error


def _public_url(host: str, port: int) -> str:
    """The configured public address, or that of this port."""
    if "HASHSHARE_PUBLIC_URL" in os.environ:
        return str(settings.HASHSHARE_PUBLIC_URL)
    return f"http://{_reachable(host)}:{port}"


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]", "[::]": "[::1]"}.get(host, host)  # noqa: S104


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=WAIT_FOR_ANSWER_SECONDS) as answer:  # noqa: S310 (own address)
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
