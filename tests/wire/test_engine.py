"""The engine reaches the files it was told of and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from hashshare.wire.engine import open_engine, scalar


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "own.csv").write_text("n\n1\n")
    (tmp_path / "foreign.csv").write_text("n\n2\n")
    return tmp_path


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{root}/foreign.csv')",
        "SELECT * FROM read_csv('{root}/mine/../foreign.csv')",
        "SELECT * FROM read_text('{root}/foreign.csv')",
        "SELECT * FROM glob('{root}/*')",
        "COPY (SELECT 1) TO '{root}/written.csv'",
        "COPY (SELECT 1) TO '{root}/mine/../written.csv'",
        "COPY (SELECT 1) TO '{root}/foreign.csv'",
        "ATTACH '{root}/written.db'",
        "EXPORT DATABASE '{root}/written'",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "LOAD '{root}/foreign.csv'",
        "SET memory_limit = '64GiB'",
        "SET threads = 64",
        "SET enable_external_access = true",
        "SET allowed_paths = ['{root}/foreign.csv']",
        "SET temp_directory = '{root}'",
        "RESET enable_external_access",
        "SET lock_configuration = false",
    ],
)
def test_it_refuses_foreign_files_and_settings(files: Path, query: str) -> None:
    before = sorted(files.rglob("*"))
    with open_engine(read=[files / "mine" / "own.csv"], write=files / "mine") as engine, pytest.raises(duckdb.Error):
        engine.execute(query.format(root=files)).fetchall()
    assert sorted(files.rglob("*")) == before
    assert (files / "foreign.csv").read_text() == "n\n2\n"


def test_it_refuses_to_write_what_it_may_read_only_by_name(files: Path) -> None:
    with open_engine(read=[files / "foreign.csv"]) as engine, pytest.raises(duckdb.Error):
        engine.execute(f"SELECT * FROM read_csv('{files}/mine/own.csv')").fetchall()


def test_it_reads_what_it_was_told_and_writes_its_folder(files: Path) -> None:
    with open_engine(read=[files / "foreign.csv"], write=files / "mine") as engine:
        assert scalar(engine, f"SELECT n FROM read_csv('{files}/foreign.csv')") == 2
        engine.execute(f"COPY (SELECT 3 AS n) TO '{files}/mine/new.csv'")
    assert (files / "mine" / "new.csv").read_text() == "n\n3\n"


def test_it_spills_beyond_its_memory_and_leaves_nothing(tmp_path: Path) -> None:
    with open_engine(write=tmp_path, memory="64MiB") as engine:
        engine.execute(
            "CREATE TEMP TABLE wide AS SELECT i, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS t FROM range(1500000) r(i)"
        )
        assert scalar(engine, "SELECT count(*) FROM (SELECT * FROM wide ORDER BY t)") == 1_500_000
        spilled = scalar(engine, "SELECT sum(size) FROM duckdb_temporary_files()")
    assert spilled > 0
    assert list(tmp_path.iterdir()) == []


def test_it_bounds_memory(tmp_path: Path) -> None:
    with open_engine(write=tmp_path, memory="32MiB") as engine, pytest.raises(duckdb.Error):
        engine.execute("SELECT len(list(i)) FROM range(30000000) r(i)").fetchone()
