"""A hub, a hotline and a member: real processes in a folder that is removed at the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import access
from benchmarks.measure import Run, family, run
from config import postgres
from config.postgres.cluster import USER
from demo.hub import Hub, free_port
from demo.stage import Organisation, Stage

DOMAIN = "aurora.example"


class LoggingHub(Hub):
    """The demo's hub, which also writes what it was asked for."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "GUNICORN_CMD_ARGS": access.options(self.access_log)}

    @property
    def access_log(self) -> Path:
        return self.data.parent / "access.log"


@dataclass(frozen=True, slots=True)
class World:
    """What scenarios act on."""

    folder: Path
    hub: LoggingHub
    aurora: Organisation
    cobalt: Organisation

    def hashshare(self, organisation: Organisation, *arguments: str | Path) -> Run:
        """Run an organisation's command with --json and account for it. Raises CommandFailedError."""
        command = [sys.executable, "-m", "hashshare", *arguments, "--json"]
        return run(command, env={"HASHSHARE_HOME": str(organisation.home)})

    def make_list(self, slug: str, *, algorithms: str, columns: str) -> str:
        """A list without a release, which Cobalt may read; returns its full name."""
        name, terms = f"{DOMAIN}/{slug}", self.folder / "terms.txt"
        terms.write_text("For measuring.\n")
        self.aurora.hashshare(
            "publisher", "list", "create", name, "--algorithms", algorithms, "--scheme", "uk-abc",
            "--columns", columns, "--title", f"Bench {slug}", "--terms", str(terms),
        )  # fmt: skip
        self.cobalt.hashshare("subscribe", name, "--accept-terms")
        self.aurora.hashshare("grant", name, "cobalt", "--until", "2030-01-01")
        return name

    # --- the hub's inside ---

    def database(self, name: str = "") -> str:
        """A connection string for a database on the hub's own PostgreSQL server, the hub's own by default."""
        return f"host={postgres.join(self.hub.data)} user={USER} dbname={name or USER}"

    def rival_database(self) -> str:
        """A connection string for an empty database beside the hub's."""
        with psycopg.connect(self.database("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS rival WITH (FORCE)")
            connection.execute("CREATE DATABASE rival")
        return self.database("rival")

    def program(self, name: str) -> list[int]:
        """Process ids of the hub's "web", "beat", "timetable" or "worker" (all that verify) and their children."""
        programs = json.loads((self.hub.data / "hub.json").read_text())["programs"]
        fitting = [pid for called, pid in programs.items() if called.partition("-")[0] == name]
        return [pid for program in fitting for pid in family(int(program))]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Meanwhile the hub's own programs stand still, so that what its database does is somebody else's doing."""
        pids = [pid for name in ("beat", "timetable", "worker", "web") for pid in self.program(name)]
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Start all of it: both organisations are enrolled, there is no list yet."""
    stage = Stage(quiet=True)
    with tempfile.TemporaryDirectory(prefix="hashshare-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's private PostgreSQL runs as somebody else, who must pass through
        hub = LoggingHub(folder / "hub", free_port(0), stage)
        aurora, cobalt = (Organisation(who, folder / who.lower(), stage) for who in ("Aurora", "Cobalt"))
        try:
            hub.start()
            _enrol(hub, aurora, "hotline", "--domain", DOMAIN)
            _enrol(hub, cobalt, "member", "--sector", "social-media")
            aurora.hashshare("publisher", "init", DOMAIN, "--no-passphrase")
            yield World(folder, hub, aurora, cobalt)
        finally:
            postgres.leave(hub.data)
            hub.stop()


def _enrol(hub: Hub, organisation: Organisation, kind: str, *further: str) -> None:
    code = hub.manage("invite", "--kind", kind, "--name", organisation.name, "--country", "NL", *further)
    organisation.hashshare("enroll", hub.url, code)
