"""pg_dump and pg_restore for a database, private or a server's: the programs to take, and how to call them.

A password goes through the environment, never the command line, where others could read it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from psycopg.conninfo import make_conninfo

from config.postgres.account import PrivatePostgresFailed
from config.postgres.cluster import cluster_of
from config.postgres.programs import Programs, programs_at_least
from hashshare.durable import settle

SCHEMA: Final = "public"
"""Where all tables are. What was put aside of an earlier hub has a schema of its own."""

LIBPQ: Final = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}


@dataclass(frozen=True, slots=True)
class Place:
    """A database and the programs for it: `conninfo` has no password in it, `environment` does."""

    programs: Programs
    conninfo: str
    environment: Mapping[str, str]


def place_of(settings: Mapping[str, Any], *, server_major: int) -> Place:
    """Of Django's settings of a database, after it was connected to. Raises PrivatePostgresFailed without programs of
    `server_major` or newer.
    """
    told = {name: str(settings[key]) for key, name in LIBPQ.items() if settings.get(key)}
    if settings.get("PRIVATE_FOLDER"):
        programs, options = cluster_of(Path(str(settings["PRIVATE_FOLDER"]))).programs, {}
    else:
        programs, options = programs_at_least(server_major), dict(settings.get("OPTIONS") or {})
    if not programs.can_dump:
        programs = programs_at_least(server_major)
    known = {name: str(value) for name, value in options.items() if isinstance(value, str | int) and name != "password"}
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PGPASSFILE", "PGSSLROOTCERT", "PGSYSCONFDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    if settings.get("PASSWORD"):
        environment["PGPASSWORD"] = str(settings["PASSWORD"])
    return Place(programs, make_conninfo(**known, **told), environment | {"LC_ALL": "C", "PGTZ": "UTC"})


def dump(place: Place, path: Path, *, snapshot: str, without_rows: Iterable[str] = ()) -> None:
    """The tables as the exported `snapshot` sees them, in pg_dump's custom format, into the new file `path` (0600).

    Of the tables `without_rows` only the shape is kept. Raises PrivatePostgresFailed with what pg_dump said.
    """
    command = [
        place.programs["pg_dump"], "--format=custom", f"--schema={SCHEMA}", "--no-owner", "--no-privileges",
        f"--snapshot={snapshot}", *(f"--exclude-table-data={SCHEMA}.{name}" for name in without_rows),
        f"--dbname={place.conninfo}",
    ]  # fmt: skip
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        _run(command, place, stdout=file)
        settle(file)


def restore(place: Place, blocks: Iterable[bytes]) -> None:
    """Everything of a dump, given in blocks, into an empty schema: all of it in one transaction, or nothing.

    Raises PrivatePostgresFailed with what pg_restore said.
    """
    command = [
        place.programs["pg_restore"], "--single-transaction", "--exit-on-error", f"--schema={SCHEMA}", "--no-owner",
        "--no-privileges", f"--dbname={place.conninfo}",
    ]  # fmt: skip
    _run(command, place, blocks=blocks)


def _run(
    command: list[Any], place: Place, *, stdout: IO[bytes] | int = subprocess.DEVNULL, blocks: Iterable[bytes] = ()
) -> None:
    words = [str(part) for part in command]
    with subprocess.Popen(
        words, env=dict(place.environment), stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE
    ) as process:
        try:
            _feed(process, blocks)
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode("utf-8", "replace") if process.stderr else ""
    if process.returncode != 0:
        name = Path(words[0]).name
        raise PrivatePostgresFailed(f"{name} failed: {' | '.join(said.strip().splitlines()[-4:]) or 'no reason given'}")


def _feed(process: subprocess.Popen[bytes], blocks: Iterable[bytes]) -> None:
    """A program that ends early says itself why."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            for block in blocks:
                process.stdin.write(block)
            process.stdin.close()
