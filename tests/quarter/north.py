"""Hub North within this process: its real pages over a real socket, its timetable, its workers' functions. Not its beat
and worker processes, which tests/system starts: here time leaps, and nobody can wait a minute for every minute.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections
from pytest_django.fixtures import Settings

from config.wsgi import application
from hashshare import tasks
from hashshare.models import Job
from hashshare.services import jobs, work
from hashshare.timetable import TIMETABLE
from tests.system.hub import free_port

EVERY_JOB: Final = tuple(job.name for job in TIMETABLE)


class Handler(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_: Any) -> None:
        """As the hub's own web server."""


class Server(ThreadedWSGIServer):
    """Ends its threads and their database connections with itself, and cuts off whoever is still connected."""

    daemon_threads = False

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.open: set[socket.socket] = set()
        self.set_app(application)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for request in list(self.open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # The other end was quicker.


class North:
    """Answers at `url` between `open` and `close`; its keys and objects lie in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self._port = port
        self._server: Server | None = None

    @property
    def silent(self) -> bool:
        return self._server is None

    def open(self) -> None:
        self._server = Server(self._port)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        if self._server is None:
            return
        self._server.shutdown()
        self._server.cut()
        self._server.server_close()
        self._server = None

    def timetable(self, names: Iterable[str] = EVERY_JOB) -> None:
        """What beat would start now, each job once, whole or by name; one that fails fails the test."""
        for name in names:
            getattr(tasks, name)()


def do_at_once(job: Job) -> None:
    """In place of a message to a worker: what the worker does with it."""
    run = work.run_part if job.kind == Job.Kind.VERIFY_SHARD else work.run_job
    run(job_id=job.pk, worker="quarter", task_id="")


@contextmanager
def running(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[North]:
    folder.mkdir()
    port = free_port()
    north = North(folder, port)
    settings.HASHSHARE_PUBLIC_URL = north.url
    settings.HASHSHARE_KEYS, settings.HASHSHARE_OBJECTS = folder / "keys", folder / "objects"
    settings.HASHSHARE_DATA = folder
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr(jobs, "send", do_at_once)
    monkeypatch.setenv("HASHSHARE_BACKUP_PASSPHRASE", "a passphrase of words")
    north.open()
    try:
        yield north
    finally:
        north.close()
        connections.close_all()
