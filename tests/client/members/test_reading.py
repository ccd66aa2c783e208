"""Using what is held: export, changes, lookup, scan, each from verified entries only."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import duckdb
import pytest

from hashshare.client import scan as scans
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt
from tests.client.members.test_sync import sync


@pytest.fixture
def history(cobalt: Cobalt, aurora: Aurora) -> list[Item]:
    """Version 2: 20 entries; version 3: two of them withdrawn, one changed, one new."""
    first = items(20)
    aurora.release(first)
    changed = Item(first[2].content, "B")
    aurora.release([changed, *items(1)], first[:2], reason="incorrect")
    sync(cobalt, aurora)
    return first


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["sha256"]: row for row in csv.DictReader(file)}


def test_it_exports_the_live_entries(cobalt: Cobalt, aurora: Aurora, history: list[Item], tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    done = cobalt.run("export", "images", "-o", str(path), "--json")
    assert (done.status, done.json["rows"]) == (0, 19), done.err
    rows = rows_of(path)
    assert set(rows) == {key.hex() for key in aurora.live}
    assert rows[history[2].sha256.hex()]["category"] == "B"
    assert rows[history[3].sha256.hex()]["md5"] == history[3].md5.hex()


def test_it_exports_every_format(cobalt: Cobalt, aurora: Aurora, history: list[Item], tmp_path: Path) -> None:
    for kind in ("ndjson", "parquet"):
        assert cobalt.run("export", aurora.name, "--format", kind, "-o", str(tmp_path / kind)).status == 0
    lines = [json.loads(line) for line in (tmp_path / "ndjson").read_text().splitlines()]
    parquet = duckdb.connect().execute(f"SELECT sha256 FROM read_parquet('{tmp_path}/parquet')").fetchall()
    assert {line["sha256"] for line in lines} == {key for (key,) in parquet} == {key.hex() for key in aurora.live}


def test_it_exports_to_stdout(cobalt: Cobalt, aurora: Aurora, history: list[Item]) -> None:
    done = cobalt.run("export", aurora.name)
    assert len(list(csv.DictReader(io.StringIO(done.out)))) == 19
    assert cobalt.run("export", aurora.name, "--json").status == 2
    assert not list((cobalt.folder / "scratch").iterdir())


def test_it_leaves_an_old_export_alone_when_it_fails(cobalt: Cobalt, aurora: Aurora, tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_text("before")
    assert cobalt.run("export", aurora.name, "-o", str(path)).status == 2
    assert path.read_text() == "before"


def test_it_writes_what_changed_since_a_version(
    cobalt: Cobalt, aurora: Aurora, history: list[Item], tmp_path: Path
) -> None:
    path = tmp_path / "changes.csv"
    done = cobalt.run("changes", aurora.name, "--since", "2", "-o", str(path), "--json")
    assert (done.status, done.json["rows"]) == (0, 4), done.err
    rows = rows_of(path)
    withdrawn = {key: row["reason"] for key, row in rows.items() if row["op"] == "withdraw"}
    assert withdrawn == {item.sha256.hex(): "incorrect" for item in history[:2]}
    assert rows[history[2].sha256.hex()]["op"] == "upsert"


def test_no_changes_are_no_rows(cobalt: Cobalt, aurora: Aurora, history: list[Item], tmp_path: Path) -> None:
    done = cobalt.run("changes", aurora.name, "--since", "3", "-o", str(tmp_path / "none.csv"), "--json")
    assert (done.status, done.json["rows"]) == (0, 0), done.err


def test_it_says_when_it_cannot_reach_back(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    aurora.renew_base()
    aurora.drop_segments()
    aurora.refresh()
    sync(cobalt, aurora)
    done = cobalt.run("changes", aurora.name, "--since", "1")
    assert done.status == 2
    assert "hashshare export" in done.err
    assert cobalt.run("changes", aurora.name, "--since", "99").status == 2


def test_it_finds_hashes_of_any_algorithm(cobalt: Cobalt, aurora: Aurora, history: list[Item]) -> None:
    item, gone = history[5], history[0]
    asked = [item.md5.hex().upper(), f"sha1:{item.sha1.hex()}", item.sha256.hex(), gone.sha256.hex(), "0" * 32]
    done = cobalt.run("lookup", *asked, "--json")
    assert done.status == 0, done.err
    found = [[match["algorithm"] for match in row["matches"]] for row in done.json["hashes"]]
    assert found == [["md5"], ["sha1"], ["sha256"], [], []]
    match = done.json["hashes"][0]["matches"][0]
    assert (match["list"], match["hashes"]["sha256"]) == (aurora.name, item.sha256.hex())
    assert match["metadata"] == {"category": "A"}


def test_it_rejects_what_is_no_hash(cobalt: Cobalt, history: list[Item]) -> None:
    assert cobalt.run("lookup", "zz").status == 2
    assert cobalt.run("lookup", "pdq:zz").status == 2


def test_a_scan_reports_exactly_the_files_on_a_list(
    cobalt: Cobalt, aurora: Aurora, history: list[Item], tmp_path: Path
) -> None:
    folder = tmp_path / "uploads"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "one.bin").write_bytes(history[5].content)
    (folder / "deep" / "er" / "naïve \n name").write_bytes(history[6].content)
    (folder / "withdrawn").write_bytes(history[0].content)
    (folder / "harmless").write_bytes(b"harmless")
    (folder / "empty").touch()
    (folder / "link").symlink_to(folder / "one.bin")
    os.mkfifo(folder / "pipe")
    done = cobalt.run("scan", str(folder), "--json")
    assert done.status == 0, done.err
    assert {row["path"] for row in done.json["matches"]} == {
        str(folder / "one.bin"),
        str(folder / "deep" / "er" / "naïve \n name"),
    }
    assert [row["algorithm"] for row in done.json["matches"]] == ["sha256", "sha256"]
    assert (done.json["files"], done.json["matched_files"]) == (5, 2)


def test_a_scan_that_could_not_read_everything_says_so(
    cobalt: Cobalt, history: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cobalt.run("scan", str(tmp_path / "nothing")).status == 2
    monkeypatch.setattr(os, "open", _denied)
    assert scans.hash_file(tmp_path / "x", ("md5",)).problem == "Permission denied"


def _denied(*_: object, **__: object) -> int:
    raise PermissionError(13, "Permission denied")


def test_reading_before_a_first_sync_says_what_to_do(cobalt: Cobalt) -> None:
    for arguments in (("lookup", "0" * 32), ("scan", "/tmp"), ("export", "images"), ("verify",)):
        done = cobalt.run(*arguments)
        assert done.status == 2
        assert "hashshare sync" in done.err


def test_a_sync_does_not_pull_the_objects_from_under_a_reader(
    cobalt: Cobalt, aurora: Aurora, history: list[Item]
) -> None:
    store = cobalt.store(aurora)
    with store.reading() as (_, held, state):
        aurora.renew_base()
        aurora.drop_segments()
        aurora.release(items(1))
        aurora.renew_base()
        aurora.drop_segments()
        aurora.refresh()
        store.folder.joinpath("current.json").unlink()
        sync(cobalt, aurora)
        assert all(path.is_file() for path in state.paths)
    store.prune()
    now = store.held()
    assert now is not None
    assert not {part.sha256 for part in held.deltas} & {part.sha256 for part in now.objects}
    assert not any(path.is_file() for path in state.paths)
