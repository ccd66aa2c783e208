"""What a restore finds in its place: nothing, an earlier restore that was killed, or a hub that has data."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from config.postgres.dumps import SCHEMA
from hashshare.durable import create_file, sync_folder
from hashshare.wire.errors import UsageError


@contextmanager
def hub_stopped(folder: Path) -> Iterator[None]:
    """Nobody starts a hub on the data folder meanwhile. Raises UsageError while one runs."""
    with (folder / "hub.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"A hub runs on {folder}. Stop it first.") from error
        yield


def what_is_here() -> list[str]:
    """What a restore would replace, in words; empty for a new hub."""
    found = []
    if rows := rows_here():
        found.append(f"a database with {rows} organisations, people and releases")
    folder = Path(settings.HASHSHARE_KEYS)
    if names := sorted(path.name for path in folder.glob("*.p[eu][mb]")):
        found.append(f"keys in {folder} ({', '.join(names)})")
    return found


def rows_here() -> int:
    """Organisations, people and releases in the database, whichever version made it."""
    tables = ("hashshare_organisation", "hashshare_person", "hashshare_release")
    with connection.cursor() as cursor:
        known = set(connection.introspection.table_names(cursor))
        total = 0
        for table in known.intersection(tables):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            total += cursor.fetchone()[0]
    return total


def aside_names(now: datetime) -> dict[str, Any]:
    """Where what is here is to be put, decided before anything is touched: so a restore that is run again after a kill
    knows whether it was put there already, and never takes its own half for the hub's.
    """
    folder = Path(settings.HASHSHARE_KEYS)
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    return {
        "database": f"before_{now:%Y%m%dt%H%M%S}" if tables else None,
        "keys": str(folder / f"before-{now:%Y%m%dT%H%M%S}") if any(map(Path.is_file, folder.iterdir())) else None,
    }


def clear_database(aside: str | None) -> None:
    """An empty schema for the tables. Those that stood here get one called `aside`, and nothing of them is dropped;
    what a killed restore left is.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [aside or ""])
        if aside is None or cursor.fetchone():
            cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        else:
            cursor.execute(f"ALTER SCHEMA {SCHEMA} RENAME TO {connection.ops.quote_name(aside)}")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")


def put_database_back(aside: str | None) -> None:
    """Undo `clear_database`, and drop what came in between."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [aside or ""])
        if aside is not None and cursor.fetchone():
            cursor.execute(f"ALTER SCHEMA {connection.ops.quote_name(aside)} RENAME TO {SCHEMA}")
        else:
            cursor.execute(f"CREATE SCHEMA {SCHEMA}")


def put_keys_back(aside: Path | None, *also: Path, placed: Iterable[Path]) -> None:
    """Undo `put_keys_aside`, after removing what was `placed` since. `also` are the files that were copied."""
    for path in placed:
        path.unlink(missing_ok=True)
    if aside is None or not aside.is_dir():
        return
    homes = {path.name: path for path in also}
    for path in list(aside.iterdir()):
        path.replace(homes.get(path.name, aside.parent / path.name))
    aside.rmdir()
    sync_folder(aside.parent)


def put_keys_aside(aside: Path | None, *also: Path) -> None:
    """Move the files among the hub's keys, and copy `also`, into the folder `aside`; what is there already stays."""
    if aside is None:
        return
    aside.mkdir(mode=0o700, exist_ok=True)
    for path in [path for path in aside.parent.iterdir() if path.is_file()]:
        if not (aside / path.name).exists():
            path.replace(aside / path.name)
    sync_folder(aside)
    for path in also:
        if path.is_file():
            create_file(aside / path.name, path.read_bytes())
    sync_folder(aside.parent)
