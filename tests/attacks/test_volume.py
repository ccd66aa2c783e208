"""Too much, too slowly, or far more than it looks: every input has a bound, and what comes from a hub is given up."""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import pytest

from tests.attacks.scene import LIST, Scene, Victim

MIB = 1 << 20


@pytest.mark.parametrize(
    ("path", "kinds", "code"),
    [
        (r"/metadata/timestamp\.json$", "wrong-digest", 4),
        (r"\.root\.json$", "wrong-digest", 4),
        (r"\.manifest\.json$", "wrong-digest", 4),
        (r"\.parquet$", "wrong-digest", 4),
        (r"/heads$", "network", 5),
    ],
)
def test_endless_data(scene: Scene, cobalt: Victim, path: str, kinds: str, code: int) -> None:
    scene.between.serve(path, endless=b" " * (256 << 10))
    before = cobalt.disk()
    begun = time.monotonic()
    done = cobalt.sync()
    assert (done.code, done.error["type"]) == (code, kinds), done
    assert time.monotonic() - begun < 30
    assert cobalt.disk() - before < MIB
    assert cobalt.held()["version"] == 1
    scene.between.honest()
    cobalt.recovers()


@pytest.mark.parametrize("path", [r"/metadata/timestamp\.json$", r"\.parquet$", r"/heads$"])
def test_slow_retrieval(scene: Scene, cobalt: Victim, path: str) -> None:
    """A byte now and then, so that no single wait is ever long. The member allows two seconds here."""
    scene.between.serve(path, endless=b"{", pause=0.1)
    begun = time.monotonic()
    done = cobalt.sync()
    assert (done.code, done.error["type"]) == (5, "too-slow"), done
    assert time.monotonic() - begun < 20
    assert cobalt.held()["version"] == 1
    scene.between.honest()
    cobalt.recovers()


def test_a_mirror_that_hands_out_nothing(scene: Scene, cobalt: Victim) -> None:
    """Refusals, errors and rubbish in place of everything: the list stays in use, and the exit code says why."""
    for status in (403, 404, 500):
        scene.between.serve(r"/(metadata|targets)/", status=status, body=b"<html>no</html>")
        done = cobalt.sync()
        assert done.code in (3, 4, 5), done
        assert cobalt.held()["version"] == 1
        assert cobalt.finds(scene.keys_before[0])
        scene.between.honest()
    cobalt.recovers()


def test_a_parquet_bomb_from_a_hotline(scene: Scene, tmp_path: Path) -> None:
    """A few megabytes of tens of millions of rows: refused for what the footer says, before any of it is unpacked."""
    path = tmp_path / "bomb.parquet"
    duckdb.sql(
        f"COPY (SELECT 0::UBIGINT AS p, repeat('a', 24)::BLOB AS s FROM range(30_000_000)) TO '{path}' "
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
    )
    assert path.stat().st_size < 8 * MIB
    assert scene.publish_forged(path.read_bytes(), rows=10_000_000) == (202, "malformed-segment")


def test_a_csv_that_is_no_csv(scene: Scene, tmp_path: Path) -> None:
    """One line of 100 MB, and a million columns: named with its line, in bounded memory."""
    long = tmp_path / "long.csv"
    long.write_bytes(b"sha256,category\n" + b"a" * (100 * MIB))
    wide = tmp_path / "wide.csv"
    wide.write_bytes(b",".join(b"c%d" % number for number in range(1_000_000)) + b"\n")
    for path in (long, wide):
        document = scene.aurora.run("publish", LIST, path, "--dry-run", exit_code=6)
        assert document["error"]["type"] in ("bad-input", "invalid-request"), document


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "' + b"a" * (2 * MIB) + b'"}', 413),
        (b'{"name": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
        (b'{"name": "x", "days": 1e999999}', 400),
        (b'{"name": ' + b"9" * 500_000 + b"}", 400),
        (b"\xff\xfe{}", 400),
    ],
)
def test_json_bombs(scene: Scene, body: bytes, status: int) -> None:
    assert scene.signed("POST", "access-keys", body).status_code == status
