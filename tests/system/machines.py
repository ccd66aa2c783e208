"""Organisations' machines for tests of real processes: the `hashshare` program with a home of its own.

aurora = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
aurora.run("publisher", "init", "aurora.example", "--no-passphrase")["fingerprint"]
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import forking
from tests.system.hub import ROOT, RunningHub, clean_environment


@dataclass(frozen=True, slots=True)
class Machine:
    """`home` is its HASHSHARE_HOME; `environment` is added to what its commands see."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start `hashshare WORDS`; its output is captured as text."""
        return subprocess.Popen(
            [sys.executable, "-m", "hashshare", *map(str, words)],
            cwd=ROOT, env=self._environment(),
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str | Path, exit_code: int = 0, seconds: float = 180) -> Any:
        """The JSON document of `hashshare WORDS --json`, which must end with `exit_code`."""
        done = forking.run(["hashshare", *map(str, words), "--json"], self._environment(), seconds=seconds)
        assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def _environment(self) -> dict[str, str]:
        return clean_environment(HASHSHARE_HOME=str(self.home), **self.environment)

    @staticmethod
    def finish(process: subprocess.Popen[str], *, exit_code: int = 0, seconds: float = 180) -> Any:
        """The document of a command that was started with --json."""
        output, errors = process.communicate(timeout=seconds)
        assert process.returncode == exit_code, (process.returncode, output, errors)
        return json.loads(output)


def enrolled(
    hub: RunningHub, home: Path, *, kind: str, name: str, domain: str = "", url: str = "", **environment: str
) -> Machine:
    """An organisation invited at `hub` and enrolled there, by `url` when it is not the hub's own."""
    domains = ["--domain", domain] if domain else []
    code = hub.manage("invite", "--kind", kind, "--name", name, "--country", "NL", *domains).stdout.strip()
    machine = Machine(home, environment)
    machine.run("enroll", url or hub.url, code)
    return machine


def digests(count: int) -> list[str]:
    """So many sha256 keys of nothing."""
    return [secrets.token_hex(32) for _ in range(count)]


def write(path: Path, keys: list[str]) -> Path:
    """A file to publish with these keys and a category."""
    path.write_text("sha256,category\n" + "".join(f"{key},A\n" for key in keys))
    return path


def random_csv(path: Path, rows: int) -> Path:
    """A file to publish: `rows` random sha256 keys with a category."""
    return write(path, digests(rows))


def make_list(machine: Machine, name: str) -> None:
    """Make the publisher of `name` and that list, for files of `random_csv`."""
    machine.run("publisher", "init", name.partition("/")[0], "--no-passphrase")
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    machine.run("publisher", "list", "create", name, *words)
