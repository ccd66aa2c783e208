"""Organisations' machines: the real commands, typed within this process, each with a home of its own."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

from tests.program import call
from tests.quarter.north import North


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended: exit code, its document, and what a person reads on stderr."""

    code: int
    document: Any
    words: str


@dataclass(frozen=True, slots=True)
class Machine:
    """`home` is its HASHSHARE_HOME."""

    home: Path

    def say(self, *words: str | Path) -> Said:
        """What becomes of `hashshare WORDS --json`."""
        arguments = [*map(str, words), "--json"]
        done = call(*arguments, home=self.home)
        assert isinstance(done.exception, SystemExit | None), (arguments, done.exception, done.output)
        return Said(done.exit_code, json.loads(done.stdout) if done.stdout.strip() else None, done.stderr)

    def run(self, *words: str | Path, exit_code: int = 0) -> Any:
        """The document of a command that must end with `exit_code`."""
        said = self.say(*words)
        assert said.code == exit_code, (words, said)
        return said.document


def manage(*words: str | Path) -> str:
    """What `manage.py WORDS` prints."""
    out = io.StringIO()
    call_command(*map(str, words), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def enrolled(north: North, home: Path, *, kind: str, name: str, domain: str = "") -> Machine:
    """Invited by the operator, enrolled by its own command."""
    domains = ["--domain", domain] if domain else []
    code = manage("invite", "--kind", kind, "--name", name, "--country", "NL", *domains).strip()
    machine = Machine(home)
    machine.run("enroll", north.url, code)
    return machine
