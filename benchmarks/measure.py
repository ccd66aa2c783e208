"""Timing, processor time and memory of processes, as the operating system accounts for them (Linux: /proc)."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOK_EVERY = 0.02
"""Seconds; how far a measured wall time may be too long."""
LONGEST = 900.0
"""Seconds after which a command is taken to hang."""


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: wall and CPU seconds, peak resident memory in MiB, exit status, what it printed."""

    wall: float
    cpu: float
    peak_mib: float
    status: int
    stdout: str

    @property
    def document(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.stdout)


class CommandFailedError(RuntimeError):
    """A command that a measurement stands on did not succeed."""


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, check: bool = True, longest: float = LONGEST
) -> Run:
    """Run `command` to its end and account for it; `env` is added to this process's environment.

    Its peak memory is what the kernel last said while it lived: what it says after the end counts this process's own
    memory too, which the child shared for a moment when it was forked. Raises CommandFailedError.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, env={**os.environ, **(env or {})})
        peak = 0.0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, peak_of(process.pid))
            if time.perf_counter() - started > longest:
                process.kill()
                process.wait()
                raise CommandFailedError(f"{_words(command)} had not ended after {longest:.0f} s; it was killed.")
            time.sleep(LOOK_EVERY)
        wall, usage = time.perf_counter() - started, ended[2]
        process.returncode = os.waitstatus_to_exitcode(ended[1])
        stdout, stderr = _text(output), _text(errors)
    if check and process.returncode:
        said = f"{stdout[-2000:]}{stderr[-2000:]}"
        raise CommandFailedError(f"{_words(command)} ended with {process.returncode}: {said}")
    return Run(wall, usage.ru_utime + usage.ru_stime, peak, process.returncode, stdout)


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read())


def _words(command: Sequence[str | Path]) -> str:
    return " ".join(map(str, command))


def peak_of(pid: int) -> float:
    """Peak resident memory in MiB of a living process (VmHWM); 0 for one that is just ending."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_of(pids: Iterable[int]) -> float:
    """User and system seconds that living processes have used so far, their ended children included."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """`pid` and every living process below it."""
    parents = {child: parent_of(child) for child in _processes()}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def parent_of(pid: int) -> int:
    """Who started `pid`; -1 when it has ended."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return -1
