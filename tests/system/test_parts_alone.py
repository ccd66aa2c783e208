"""Each part works by itself too: whichever needs the private PostgreSQL first starts it, the last one stops it."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from config import postgres
from tests.system.hub import ROOT, clean_environment, free_port, wait_for

INFO: Final = ("--concurrency", "1", "--loglevel", "INFO")
started: list[subprocess.Popen[bytes]] = []


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hashshare-parts-"))
    folder.chmod(0o711)
    yield folder
    for process in started:
        process.kill()
        process.wait()
    started.clear()
    postgres.destroy(folder)
    shutil.rmtree(folder)


def start(data: Path, *command: str) -> subprocess.Popen[bytes]:
    log = (data / "output").open("ab")
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT, env=clean_environment(HASHSHARE_DATA=str(data)), stdout=log, stderr=log,
    )  # fmt: skip
    started.append(process)
    return process


def answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def server_runs(data: Path) -> bool:
    return bool(list((data / "postgresql").glob("*/postmaster.pid")))


def test_it_migrates_serves_and_works_as_separate_commands(data: Path) -> None:
    assert start(data, "manage.py", "migrate").wait(timeout=120) == 0
    assert not server_runs(data)

    worker = start(data, "-m", "celery", "-A", "config", "worker", "-B", *INFO)
    wait_for("the worker to be up", lambda: "ready." in (data / "output").read_text())
    assert server_runs(data)

    port = free_port()
    web = start(data, "manage.py", "runserver", "--noreload", str(port))
    wait_for("the web server to be ready", lambda: answers(port, "/readyz"))

    wait_for("beat's notes to be kept with the data", lambda: list(data.glob("celerybeat*")))
    assert not list(ROOT.glob("celerybeat*"))

    web.send_signal(signal.SIGINT)
    web.wait(timeout=30)
    assert server_runs(data), "the worker still uses it"
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)
    wait_for("the server to stop with its last user", lambda: not server_runs(data))


def said_by(data: Path, *words: str) -> str:
    """What `manage.py WORDS` prints, with the password of an operator in its environment."""
    environment = clean_environment(HASHSHARE_DATA=str(data), HASHSHARE_OPERATOR_PASSWORD=secrets.token_urlsafe(16))
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT, env=environment, text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_invites_before_any_hub_runs(data: Path) -> None:
    said_by(data, "migrate", "--verbosity", "0")
    assert "created" in said_by(data, "createoperator", "--email", "operator@north.example")
    said = said_by(data, "invite", "--kind", "partner", "--name", "Delta", "--country", "SE")
    assert said == "delta"
    said = said_by(data, "invite", "--kind", "member", "--name", "Cobalt", "--country", "NL")
    assert re.fullmatch(r"\S{4}-\S{4}-\S{4}", said)
    link = said_by(data, "invite-person", "--organisation", "delta", "--role", "observer")
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    assert not server_runs(data)
