"""How the demo runs commands and speaks: each command shown, its JSON answer read, its claims checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from rich.console import Console

REPOSITORY = Path(__file__).resolve().parent.parent


class DemoFailedError(Exception):
    """A step did not do what the demo says it does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered: exit status, its JSON document, wall seconds."""

    status: int
    document: dict[str, Any]
    seconds: float


@dataclass(slots=True)
class Stage:
    """The narrator: acts, commands, facts, figures. Quiet but for errors when only figures are wanted."""

    quiet: bool
    figures: dict[str, Any] = field(default_factory=dict)
    console: Console = field(init=False)

    def __post_init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True, stderr=self.quiet, quiet=self.quiet)

    def act(self, title: str) -> None:
        """Open an act of the story."""
        self.console.print(f"\n[bold]{title}[/bold]")

    def fact(self, text: str) -> None:
        """A line that says what was seen."""
        self.console.print(f"  {text}", markup=False)

    def command(self, text: str) -> None:
        """A command line as the person would type it."""
        self.console.print(f"  $ {text}", style="cyan", markup=False)

    def note(self, **figures: Any) -> None:
        """Keep figures for the closing summary and for --json."""
        self.figures.update(figures)

    def run(
        self,
        program: Sequence[str],
        arguments: Sequence[str],
        *,
        shown: str,
        env: Mapping[str, str],
        expect: int = 0,
        as_json: bool = True,
    ) -> Answer:
        """Run a command, with --json if it speaks that, show it as typed, and insist on its exit status."""
        self.command(" ".join([shown, *arguments]))
        started = time.monotonic()
        with self.console.status("  …"):
            done = subprocess.run(
                [*program, *arguments, *(["--json"] if as_json else [])],
                env={**os.environ, **env},
                cwd=REPOSITORY,
                capture_output=True,
                text=True,
                check=False,
            )
        seconds = time.monotonic() - started
        told = " ".join([shown, *arguments])
        check_status(told, done.returncode, done.stdout, done.stderr, expect=expect)
        if not as_json:
            return Answer(done.returncode, {"text": done.stdout.strip()}, seconds)
        return Answer(done.returncode, read_document(told, done.stdout), seconds)


@dataclass(frozen=True, slots=True)
class Running:
    """A command that was started and goes on while others are run, at most until the end of its `with` block."""

    told: str
    process: subprocess.Popen[str]
    started: float

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if not self.ended:
            self.process.kill()
            self.process.communicate()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def finish(self, *, within: float) -> Answer:
        """Wait for its end and insist on exit status 0."""
        try:
            output, errors = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired as error:
            raise DemoFailedError(f"`{self.told}` did not end within {within:.0f} s") from error
        check_status(self.told, self.process.returncode, output, errors, expect=0)
        return Answer(0, read_document(self.told, output), time.monotonic() - self.started)


def check_status(told: str, status: int, output: str, errors: str, *, expect: int) -> None:
    """Raise DemoFailedError unless the command `told` ended as it should."""
    if status != expect:
        raise DemoFailedError(f"`{told}` ended with {status}, not {expect}:\n{output[-3000:]}{errors[-3000:]}")


def read_document(told: str, output: str) -> dict[str, Any]:
    """The JSON document that a command printed."""
    try:
        document: dict[str, Any] = json.loads(output)
    except json.JSONDecodeError as error:
        raise DemoFailedError(f"`{told}` printed no JSON: {output[:500]}") from error
    return document


@dataclass(frozen=True, slots=True)
class Organisation:
    """Somebody's machine: its `hashshare` commands run with a home folder of their own."""

    name: str
    home: Path
    stage: Stage

    def hashshare(self, *arguments: str, expect: int = 0) -> Answer:
        """Run the organisation's `hashshare` command."""
        program = [sys.executable, "-m", "hashshare"]
        shown = f"{self.name.lower()}: hashshare"
        return self.stage.run(program, arguments, shown=shown, env={"HASHSHARE_HOME": str(self.home)}, expect=expect)

    def start(self, *arguments: str) -> Running:
        """Start a command that waits for what others do."""
        told = " ".join([f"{self.name.lower()}: hashshare", *arguments])
        self.stage.command(f"{told} &")
        process = subprocess.Popen(
            [sys.executable, "-m", "hashshare", *arguments, "--json"],
            env={**os.environ, "HASHSHARE_HOME": str(self.home)},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Running(told, process, time.monotonic())


def require(claim: bool, text: str) -> None:
    """Raise DemoFailedError unless what the demo is about to say is true."""
    if not claim:
        raise DemoFailedError(f"This should hold and does not: {text}")
