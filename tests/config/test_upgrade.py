"""The private PostgreSQL moves from one major version to another: here from the system's to the wheel's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import postgres
from config.postgres import programs, upgrading
from config.postgres.cluster import DATABASE, USER, Cluster, cluster_of, majors_kept
from config.postgres.upgrading import drop_old, upgrade

MAJORS = sorted({found.major for found in programs.all_programs()})

pytestmark = pytest.mark.skipif(len(MAJORS) < 2, reason="only one major version of PostgreSQL is here")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with a database of the older version, and a table in each of two schemas."""
    monkeypatch.setenv("HASHSHARE_PG_DURABLE", "0")
    path = Path(tempfile.mkdtemp(prefix="hashshare-pg-"))
    path.chmod(0o711)
    with monkeypatch.context() as older:
        first = next(found for found in programs.all_programs() if found.major == MAJORS[0])
        older.setenv("HASHSHARE_PG_BIN", str(first.folder))
        fill(path)
    monkeypatch.delenv("HASHSHARE_PG_BIN", raising=False)
    yield path
    postgres.destroy(path)
    shutil.rmtree(path)


def fill(folder: Path) -> None:
    with joined(folder) as connection:
        connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        connection.execute("CREATE SCHEMA before_x")
        connection.execute("CREATE TABLE before_x.kept AS SELECT 1 AS id")
    postgres.leave(folder)


def joined(folder: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(postgres.join(folder)), user=USER, dbname=DATABASE)


def test_it_moves_everything_and_keeps_the_old_data(folder: Path) -> None:
    done = upgrade(folder)
    assert (done.old, done.new, done.tables, done.rows) == (MAJORS[0], MAJORS[-1], 2, 1001)
    with joined(folder) as connection:
        assert connection.info.server_version // 10_000 == MAJORS[-1]
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
    postgres.leave(folder)
    home = cluster_of(folder).home
    assert majors_kept(home) == {MAJORS[0], MAJORS[-1]}
    assert not (home / upgrading.WORK).exists()
    with pytest.raises(postgres.PrivatePostgresFailed, match="no newer version"):
        upgrade(folder)
    assert drop_old(folder) == [done.kept]
    assert majors_kept(home) == {MAJORS[-1]}


def test_it_refuses_while_somebody_uses_the_database(folder: Path) -> None:
    with joined(folder), pytest.raises(postgres.PrivatePostgresFailed, match="in use"):
        upgrade(folder)
    postgres.leave(folder)
    assert majors_kept(cluster_of(folder).home) == {MAJORS[0]}


def test_it_says_which_programs_are_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [it for it in programs.all_programs() if it.major != MAJORS[0]]
    with monkeypatch.context() as without:
        without.setattr(upgrading, "all_programs", lambda: found)
        with pytest.raises(postgres.PrivatePostgresFailed, match=f"Install PostgreSQL {MAJORS[0]} beside"):
            upgrade(folder)
    with pytest.raises(postgres.PrivatePostgresFailed, match="PostgreSQL 99 is not here"):
        upgrade(folder, to=99)
    with pytest.raises(postgres.PrivatePostgresFailed, match="already"):
        upgrade(folder, to=MAJORS[0])


def test_what_fails_leaves_the_old_database_in_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a run that was killed half way is cleared by the next."""

    def unequal(before: Cluster, after: Cluster) -> tuple[int, int]:
        raise postgres.PrivatePostgresFailed("The copy has other tables than the database.")

    home = cluster_of(folder).home
    with monkeypatch.context() as broken:
        broken.setattr(upgrading, "_compare", unequal)
        with pytest.raises(postgres.PrivatePostgresFailed, match="other tables"):
            upgrade(folder)
    assert majors_kept(home) == {MAJORS[0]}
    (home / upgrading.WORK / str(MAJORS[-1])).mkdir(parents=True)
    assert upgrade(folder).rows == 1001
