"""Runs several programs as one: started together, stopped together, and none replaced without a word about it.

Knows nothing of the hub; `manage.py hub` says which programs. Each gets a process group of its own, so that Ctrl-C on
the terminal reaches only the supervisor, which then stops them in order.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Final

PR_SET_PDEATHSIG: Final = 1
LOOK_SECONDS: Final = 0.2
GRACE_SECONDS: Final = 20.0
MOST_DEATHS: Final = 5
DEATHS_WITHIN_SECONDS: Final = 60.0


@dataclass(slots=True)
class Program:
    """One program to keep running; `log` takes its output, or the terminal does."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        output: IO[bytes] | None = self.log.open("ab") if self.log else None
        try:
            self.process = subprocess.Popen(
                self.command,
                env=os.environ | dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        finally:
            if output:
                output.close()

    def ended(self) -> str | None:
        """How it ended, in words, or None while it runs."""
        code = self.process.poll() if self.process else None
        if code is None:
            return None
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def tell(self, signal_number: int) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal_number)

    def clear(self) -> None:
        """End whatever the program left behind in its group."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def died_too_often(self, now: float) -> bool:
        self.deaths = [at for at in self.deaths if now - at < DEATHS_WITHIN_SECONDS] + [now]
        return len(self.deaths) >= MOST_DEATHS


class Supervisor:
    """Keeps `programs` running until it is told to stop; they are stopped in the order given."""

    def __init__(
        self, programs: Sequence[Program], *, say: Callable[[str], None], started: Callable[[Sequence[Program]], None]
    ) -> None:
        """`say` takes a line for people; `started` is called whenever the process ids have changed."""
        self.programs = programs
        self.say = say
        self.started = started
        self.stopping = False

    def run(self, *, is_ready: Callable[[], bool], ready: Callable[[], None]) -> int:
        """Start all, call `ready` once `is_ready`, watch. Returns 0 when told to stop, 1 when a program keeps dying."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for program in self.programs:
                program.start()
            self.started(self.programs)
            return self._watch(is_ready=is_ready, ready=ready)
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _watch(self, *, is_ready: Callable[[], bool], ready: Callable[[], None]) -> int:
        waiting = True
        while not self.stopping:
            if waiting and is_ready():
                waiting = False
                ready()
            for program in self.programs:
                how = program.ended()
                if how and not self._replace(program, how):
                    return 1
            time.sleep(LOOK_SECONDS)
        return 0

    def _replace(self, program: Program, how: str) -> bool:
        """Start a program that ended again, saying so; False when it dies so often that there is no point."""
        old = program.pid
        program.clear()
        if program.died_too_often(time.monotonic()):
            self.say(
                f"{program.name} (pid {old}) ended with {how}, {MOST_DEATHS} times in a minute: stopping everything"
            )
            return False
        program.start()
        self.started(self.programs)
        self.say(f"{program.name} (pid {old}) ended with {how}: started again as pid {program.pid}")
        return True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _stop_all(self) -> None:
        for program in self.programs:
            program.tell(signal.SIGTERM)
        until = time.monotonic() + GRACE_SECONDS
        for program in self.programs:
            if program.process is None:
                continue
            try:
                program.process.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{program.name} (pid {program.pid}) did not stop in {GRACE_SECONDS:.0f} s: killed")
            program.clear()
            program.process.wait()


def _die_with_parent() -> None:
    """Let Linux tell this program to stop when the supervisor is killed outright."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
