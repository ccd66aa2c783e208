"""The broker of one machine: messages as files of a folder, for any number of workers that take from it.

kombu's own file transport gives a message its name before its content, and takes one by way of the system's folder for
temporary files; two workers there may read half a message or spoil each other's. Here whatever has its final name is
whole, and is taken by a rename, which only one can win. What a kill leaves on the way is swept by whoever takes.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

LEFT_SECONDS: Final = 600.0
"""A draft or a taken message this old belongs to nobody any more: both live for a moment, unless a kill leaves them."""

SWEEP_SECONDS: Final = 60.0


class Channel(filesystem.Channel):
    """`<nanoseconds>_<uuid>.<queue>.msg` in one folder; names with a leading dot are drafts or were taken."""

    next_sweep = 0.0

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002
        """The oldest message. One that is taken by a worker that is killed here is lost, as any may be."""
        folder = Path(self.data_folder_in)
        self._sweep_sometimes(folder)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 (names alone, many times a second)
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}.taken"
            try:
                (folder / name).rename(taken)
                text = taken.read_text()
            except FileNotFoundError:
                continue  # another worker was faster, or this one stood still here until it was swept
            taken.unlink(missing_ok=True)
            return loads(text)
        raise Empty

    def _sweep_sometimes(self, folder: Path) -> None:
        if time.monotonic() >= self.next_sweep:
            self.next_sweep = time.monotonic() + SWEEP_SECONDS
            for swept in (folder, self.control_folder):
                sweep_leftovers(swept, now=time.time())

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue)
        with (self.control_folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            bound = self.get_table(exchange)
            if binding not in bound:
                _write_whole(self.control_folder / f"{exchange}.exchange", dumps([binding, *bound]))


class Transport(filesystem.Transport):
    """For CELERY_BROKER_TRANSPORT."""

    Channel = Channel


def sweep_leftovers(folder: Path, *, now: float) -> None:
    """Remove what killed processes left between two steps; `now` in seconds since the epoch.

    A taken message has the age of its taking (a rename changes the inode's time, not the content's), however long it
    waited before. Any number of processes may sweep at once. What is lost here is sent again, as any message is.
    """
    with os.scandir(folder) as entries:
        names = [it.name for it in entries if it.name.startswith(".") and it.name.endswith((".draft", ".taken"))]
    for path in (folder / name for name in names):
        with suppress(FileNotFoundError):  # another was faster
            if now - path.stat().st_ctime > LEFT_SECONDS:
                path.unlink()


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{uuid.uuid4()}.draft")
    draft.write_text(text)
    draft.replace(path)
