"""Counting who uses a private PostgreSQL: the first process in starts it, the last one out stops it.

Each user holds a shared lock on `postgresql.users` for as long as it lives; the kernel drops it even when the process
is killed. Starting and stopping happen under a second, exclusive lock. Whoever leaves tries to lock the first file
exclusively: when that works, nobody is left, and the server is stopped. A child forked by a user shares its lock.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from config.postgres.account import PrivatePostgresFailed
from config.postgres.cluster import Cluster, cluster_of


@dataclass(frozen=True, slots=True)
class _Hold:
    cluster: Cluster
    lock: TextIOWrapper
    pid: int


_holds: dict[Path, _Hold] = {}
_threads = threading.RLock()


def join(folder: Path) -> Path:
    """Use the private PostgreSQL of the data folder `folder` until this process ends; its socket's folder is returned.

    Starts it when it is down. Raises PrivatePostgresFailed when that cannot be done.
    """
    with _threads:
        hold = _holds.get(folder)
        if hold is None:
            hold = _holds[folder] = _join(folder)
            atexit.register(leave, folder)
        return hold.cluster.socket


def leave(folder: Path) -> None:
    """Use it no longer; stops it when nobody else does. A forked child shares its parent's hold."""
    with _threads:
        hold = _holds.pop(folder, None)
        if hold is None or hold.pid != os.getpid() or not folder.is_dir():
            return
        with _alone(folder):
            hold.lock.close()
            if _nobody_left(folder):
                hold.cluster.stop()


def revive(folder: Path) -> bool:
    """Start the server again if it is down, killed perhaps; False when it was up."""
    with _threads:
        hold = _holds.get(folder)
        if hold is None:
            return False
        with _alone(folder):
            if hold.cluster.is_running():
                return False
            hold.cluster.make_sure_it_runs(durable=_durable())
            return True


def destroy(folder: Path) -> None:
    """Stop the server whoever uses it and delete its data: for tests that clean up after themselves."""
    with _threads:
        hold = _holds.pop(folder, None)
        if hold is not None:
            hold.lock.close()
        if folder.is_dir():
            cluster_of(folder).remove()


@contextmanager
def alone_with(folder: Path) -> Iterator[None]:
    """Nobody uses the server of `folder`, and nobody joins it inside the block. Raises PrivatePostgresFailed while
    somebody does.
    """
    with _alone(folder):
        if not _nobody_left(folder):
            raise PrivatePostgresFailed(
                "The private database is in use, by a hub or another command. Stop it first. Nothing was changed."
            )
        yield


def _join(folder: Path) -> _Hold:
    with _alone(folder):
        lock = (folder / "postgresql.users").open("a")
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            cluster = cluster_of(folder)
            cluster.make_sure_it_runs(durable=_durable())
        except BaseException:
            lock.close()
            raise
    return _Hold(cluster, lock, os.getpid())


def _nobody_left(folder: Path) -> bool:
    with (folder / "postgresql.users").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "postgresql.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _durable() -> bool:
    """Only tests say no: then a crash of the machine may lose what was committed."""
    return os.environ.get("HASHSHARE_PG_DURABLE", "1") != "0"
