"""The broker of one machine: messages as files of a folder, for any number of workers that take from it.

kombu's own file transport gives a message its name before its content, and takes one by way of the system's folder for
temporary files; two workers there may read half a message or spoil each other's. Here whatever has its final name is
whole, and is taken by a rename, which only one can win.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """`<nanoseconds>_<uuid>.<queue>.msg` in one folder; names with a leading dot are drafts or were taken."""

    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002
        """The oldest message. One that is taken by a worker that is killed here is lost, as any may be."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 (names alone, many times a second)
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            text = taken.read_text()
            taken.unlink()
            return loads(text)
        raise Empty

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


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_name(f".{uuid.uuid4()}.draft")
    draft.write_text(text)
    draft.replace(path)
