"""Hub North with hotline Aurora, and member Cobalt's home and command."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.enrol import enrol
from hashshare.client.home import Home
from hashshare.client.session import Session
from hashshare.client.store import ListStore
from tests import forking
from tests.client.members.aurora import Aurora
from tests.client.members.north import CODE, North, running
from tests.program import call

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Cobalt:
    """The member's machine: `run` starts the real program in a process of its own."""

    folder: Path
    north: North

    @property
    def home(self) -> Home:
        return Home.open(self.folder)

    @property
    def session(self) -> Session:
        return Session.open(self.home)

    def store(self, aurora: Aurora) -> ListStore:
        return ListStore(self.home, aurora.list_id)

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
        return {
            **kept,
            "HASHSHARE_HOME": str(self.folder),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'lean'}",
            **more,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hashshare", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=self.environment(), stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True, cwd="/"
        )

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """In a process of its own."""
        environment = self.environment(**(env or {}))
        done = forking.run(["hashshare", *arguments], environment, seconds=120, folder=Path("/"))
        return Ran(done.returncode, done.stdout, done.stderr)

    def run_short_of_room(self, *arguments: str, room: int) -> Ran:
        """`room`: the most bytes that it may write to one file, which stands for a full disk."""
        command = [sys.executable, "-m", "hashshare", *arguments]
        done = subprocess.run(
            command,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY)),
            capture_output=True,
            text=True,
            timeout=120,
            cwd="/",
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def call(self, *arguments: str) -> Ran:
        """Like `run`, but within this process: quicker, where no claim is about processes."""
        done = call(*arguments, home=self.folder)
        return Ran(done.exit_code, done.stdout, done.stderr)

    def enroll(self) -> None:
        enrol(self.home, self.north.url, CODE)


@pytest.fixture
def aurora(tmp_path: Path) -> Aurora:
    return Aurora(tmp_path / "aurora")


@pytest.fixture
def north(aurora: Aurora) -> Iterator[North]:
    with running(North(publishers=[aurora])) as hub:
        yield hub


@pytest.fixture
def cobalt(tmp_path: Path, north: North) -> Cobalt:
    """Enrolled."""
    member = Cobalt(tmp_path / "cobalt", north)
    member.enroll()
    return member
