"""The memory of real processes, as the kernel counts it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MIB: Final = 1 << 20


def family(pids: Iterable[int]) -> list[int]:
    """These processes and all that they started."""
    found, waiting = [], list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += map(int, task.read_text().split())
            except OSError:
                continue  # it has ended meanwhile
    return found


def peak(pid: int) -> int:
    """Bytes of VmHWM, the most that was ever resident since the process began or `forget_peak`; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def forget_peak(pid: int) -> None:
    """From now on the peak is measured anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@contextmanager
def growth(pids: Iterable[int]) -> Iterator[Callable[[], int]]:
    """Asked afterwards: by how many bytes the peak of the process that grew most stood above what it had before."""
    before = {}
    for pid in family(pids):
        forget_peak(pid)
        before[pid] = peak(pid)
    yield lambda: max(peak(pid) - had for pid, had in before.items())


def watched(process: subprocess.Popen[str], *, seconds: float = 120) -> tuple[int, str, str]:
    """The peak of a program that runs to its end, and what it wrote."""
    highest, done = 0, threading.Event()

    def look() -> None:
        nonlocal highest
        while not done.wait(0.01):
            highest = max(highest, peak(process.pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        output, errors = process.communicate(timeout=seconds)
    finally:
        done.set()
        looking.join()
    return highest, output, errors
