"""Runs several programs as one: started together, stopped together, and none replaced without a word about it.

Knows nothing of the hub; `manage.py hub` says which programs. Each gets a process group of its own, so that Ctrl-C on
the terminal reaches only the supervisor, which then stops them in order. A program that keeps dying stops all, unless
the others do well without it: then it rests for a while and is tried again.
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


@dataclass(frozen=True, slots=True)
class Patience:
    """A program that ends `deaths` times within `within` seconds is started no more, or rests for `rest` seconds."""

    deaths: int = 5
    within: float = 60.0
    rest: float = 60.0


@dataclass(slots=True)
class Program:
    """One program to keep running; `log` takes its output, or the terminal does.

    One that `may_rest` is one that the others do without for a while.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None
    may_rest: bool = False
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    rests_until: float | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    def start(self) -> None:
        self.rests_until = None
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

    def died_too_often(self, now: float, patience: Patience) -> bool:
        """Note that it ended `now` (monotonic seconds)."""
        self.deaths = [at for at in self.deaths if now - at < patience.within] + [now]
        return len(self.deaths) >= patience.deaths

    def rest(self, until: float) -> None:
        """Not to be started before `until`, and with a clean record then."""
        self.process, self.rests_until = None, until
        self.deaths.clear()


class Supervisor:
    """Keeps `programs` running until it is told to stop; they are stopped in the order given."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        started: Callable[[Sequence[Program]], None],
        patience: Patience = Patience(),
    ) -> None:
        """`say` takes a line for people; `started` is given those that run whenever their process ids have changed."""
        self.programs = programs
        self.say = say
        self.started = started
        self.patience = patience
        self.stopping = False

    def run(self, *, is_ready: Callable[[], bool], ready: Callable[[], None]) -> int:
        """Start all, call `ready` once `is_ready`, watch. Returns 0 when told to stop, 1 when a program keeps dying."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for program in self.programs:
                program.start()
            self._note()
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
            if not all(self._keep(program) for program in self.programs):
                return 1
            time.sleep(LOOK_SECONDS)
        return 0

    def _keep(self, program: Program) -> bool:
        """See to one program; False when it dies so often that there is no point."""
        if program.rests_until is not None:
            if time.monotonic() >= program.rests_until:
                self._start(program, f"{program.name} has rested")
            return True
        how = program.ended()
        return how is None or self._replace(program, f"{program.name} (pid {program.pid}) ended with {how}")

    def _replace(self, program: Program, what: str) -> bool:
        """Start a program that ended again, or let it rest; False when all have to stop."""
        now = time.monotonic()
        program.clear()
        if not program.died_too_often(now, self.patience):
            self._start(program, what)
            return True
        often = f"{what}, {self.patience.deaths} times in {self.patience.within:g} s"
        if not program.may_rest:
            self.say(f"{often}: stopping everything")
            return False
        program.rest(now + self.patience.rest)
        self._note()
        self.say(f"{often}: it rests for {self.patience.rest:g} s, the others go on")
        return True

    def _start(self, program: Program, why: str) -> None:
        program.start()
        self._note()
        self.say(f"{why}: started again as pid {program.pid}")

    def _note(self) -> None:
        self.started([program for program in self.programs if program.rests_until is None])

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
