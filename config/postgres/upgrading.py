"""Moving the private PostgreSQL to another major version: a dump of the old data into new data beside it, checked, and
then taken into use by one rename. The old data stays until it is dropped by command; its programs were never replaced.

1. Nobody uses the server, and nobody begins to meanwhile.
2. The old server runs as ever; the new one makes its data in `<home>/.upgrading`, which a killed run leaves behind and
   the next one clears.
3. Every table of every schema has as many rows there as here.
4. Both are stopped; the new data gets its place and name, from when on it is the database.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from config.postgres.account import Account, PrivatePostgresFailed, account
from config.postgres.cluster import DATABASE, USER, Cluster, home_of, major_kept, majors_kept
from config.postgres.programs import Programs, all_programs
from config.postgres.sharing import alone_with

WORK: Final = ".upgrading"
TABLES: Final = """
    SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY schemaname, relname
"""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`old` data is still in `kept`; `rows` were counted in both."""

    old: int
    new: int
    kept: Path
    tables: int
    rows: int


def upgrade(folder: Path, *, to: int | None = None) -> Upgraded:
    """Move the private database of the data folder `folder` to PostgreSQL `to`, the newest that is here if None.

    Raises PrivatePostgresFailed, with what was kept and what to do.
    """
    runner = account()
    home = home_of(folder, runner)
    kept = major_kept(home)
    if kept is None:
        raise PrivatePostgresFailed(f"There is no private database in {home} yet. Nothing was changed.")
    found = all_programs()
    old = _of(found, kept, f"The private database was made by PostgreSQL {kept}, whose programs are needed once more.")
    new = _newer(found, kept, to)
    with alone_with(folder):
        return _move(runner, home, old.usable_by(runner, copy_to=home), new.usable_by(runner, copy_to=home))


def drop_old(folder: Path) -> list[Path]:
    """Delete the data of all versions but the one in use; what was deleted."""
    home = home_of(folder, account())
    dropped = []
    with alone_with(folder):
        for major in sorted(majors_kept(home))[:-1]:
            shutil.rmtree(home / str(major))
            dropped.append(home / str(major))
    return dropped


def _of(found: list[Programs], major: int, why: str) -> Programs:
    programs = next((it for it in found if it.major == major and it.can_dump), None)
    if programs is None:
        raise PrivatePostgresFailed(
            f"{why} Install PostgreSQL {major} beside the others, or point HASHSHARE_PG_BIN at its bin folder. "
            "Nothing was changed."
        )
    return programs


def _newer(found: list[Programs], kept: int, to: int | None) -> Programs:
    if to is not None and to <= kept:
        raise PrivatePostgresFailed(f"The private database is of PostgreSQL {kept} already. Nothing was changed.")
    if to is not None:
        return _of(found, to, f"PostgreSQL {to} is not here.")
    newest = max(found, key=lambda programs: programs.major)
    if newest.major <= kept:
        raise PrivatePostgresFailed(
            f"The private database is of PostgreSQL {kept}, and no newer version is here. Nothing was changed."
        )
    return newest


def _move(runner: Account, home: Path, old: Programs, new: Programs) -> Upgraded:
    work = home / WORK
    shutil.rmtree(work, ignore_errors=True)
    before = Cluster(runner, old, home)
    after = Cluster(runner, new, runner.private_folder(work))
    try:
        before.make_sure_it_runs(durable=True)
        after.make_sure_it_runs(durable=True)
        _copy(before, after)
        tables, rows = _compare(before, after)
    except BaseException:
        after.remove()
        raise
    finally:
        before.stop()
    after.stop()
    after.data.rename(home / str(new.major))
    after.remove()
    return Upgraded(old.major, new.major, before.data, tables, rows)


def _copy(before: Cluster, after: Cluster) -> None:
    """Out of the old server into the new one, without a file between.

    By the old version's own pg_dump: what a distribution adds to a server (Debian's 15.20 marks columns with a
    `pg_attver`), only that leaves out, and a newer pg_restore reads what an older pg_dump wrote.
    """
    connect = ("-U", USER, "-d", DATABASE)
    dump = [before.programs["pg_dump"], "--format=custom", "-h", before.socket, *connect]
    fill = [after.programs["pg_restore"], "--single-transaction", "--exit-on-error", "-h", after.socket, *connect]
    with (
        subprocess.Popen(_words(dump), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as source,
        subprocess.Popen(_words(fill), stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as sink,
    ):
        if source.stdout is not None:
            source.stdout.close()
        said = [process.communicate()[1].decode("utf-8", "replace") for process in (sink, source)]
    for process, words in zip((source, sink), reversed(said), strict=True):
        if process.returncode != 0:
            raise PrivatePostgresFailed(f"The database was not copied: {words.strip()[-500:]} Nothing was changed.")


def _words(command: list[object]) -> list[str]:
    return [str(part) for part in command]


def _compare(before: Cluster, after: Cluster) -> tuple[int, int]:
    """Tables and rows, the same in both. Raises PrivatePostgresFailed."""
    with _connected(before) as old, _connected(after) as new:
        new.execute("ANALYZE")
        tables = old.execute(TABLES).fetchall()
        if tables != new.execute(TABLES).fetchall():
            raise PrivatePostgresFailed("The copy has other tables than the database. Nothing was changed.")
        total = 0
        for schema, table in tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            counts = [(server.execute(query).fetchone() or (0,))[0] for server in (old, new)]
            if counts[0] != counts[1]:
                raise PrivatePostgresFailed(
                    f"The copy of {schema}.{table} has {counts[1]} rows, not {counts[0]}. Nothing was changed."
                )
            total += counts[0]
    return len(tables), total


@contextmanager
def _connected(cluster: Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(host=str(cluster.socket), user=USER, dbname=DATABASE, autocommit=True) as connection:
        yield connection
