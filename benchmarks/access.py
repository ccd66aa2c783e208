"""What a hub was asked for, read from its web server's access log: requests, answers, bytes of bodies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FORMAT: Final = "%(m)s %(U)s %(s)s %(B)s"
"""gunicorn's: method, path, status, bytes of the body."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    status: int
    bytes: int


@dataclass(slots=True)
class Seen:
    """The requests made while `watching`; filled when it ends."""

    requests: list[Request] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(request.bytes for request in self.requests)

    @property
    def objects(self) -> list[Request]:
        """Those that fetched Parquet: the entries themselves."""
        return [request for request in self.requests if request.path.endswith(".parquet")]


def options(log: Path) -> str:
    """GUNICORN_CMD_ARGS that make a web server write `log`."""
    return f"--access-logfile {log} --access-logformat '{FORMAT}'"


@contextmanager
def watching(log: Path) -> Iterator[Seen]:
    """Collects what is asked meanwhile; readiness probes and the publisher's polling of its job included."""
    seen, start = Seen(), log.stat().st_size if log.exists() else 0
    yield seen
    with log.open("rb") as lines:
        lines.seek(start)
        seen.requests = parse(lines.read().decode().splitlines())


def parse(lines: Sequence[str]) -> list[Request]:
    """Raises ValueError for a line that is not of FORMAT. A body without bytes is written as "-"."""
    found = []
    for line in lines:
        method, path, status, size = line.split(" ")
        found.append(Request(method, path, int(status), 0 if size == "-" else int(size)))
    return found
