"""Too much, too slowly, or far more than it looks: every input has a bound, and what comes from a hub is given up."""

from __future__ import annotations

import gzip
import json
import secrets
import time
from pathlib import Path

import duckdb
import pytest
import requests

from tests.attacks.memory import MIB, growth, watched
from tests.attacks.scene import LIST, Scene, Victim


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
    path, rows = tmp_path / "bomb.parquet", "repeat('a', 24)::BLOB AS s FROM range(30_000_000)"
    duckdb.sql(
        f"COPY (SELECT {secrets.randbits(63)}::UBIGINT AS p, {rows}) TO '{path}' "
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
    )
    assert path.stat().st_size < 8 * MIB
    with growth(scene.hub.pids().values()) as grown:
        assert scene.publish_forged(path.read_bytes(), rows=10_000_000) == (202, "malformed-segment")
        assert grown() < 150 * MIB


@pytest.mark.parametrize("shape", ["long", "wide", "quoted", "long line"])
def test_a_csv_that_is_no_csv(scene: Scene, tmp_path: Path, shape: str) -> None:
    """One line of 100 MB, a million columns, a quote that never ends: named with its line, in bounded memory."""
    body = {
        "long": b"sha256,category\n" + b"a" * (100 * MIB),
        "wide": b",".join(b"c%d" % number for number in range(1_000_000)) + b"\n",
        "quoted": b'sha256,category\n"' + b"a\n" * 300_000,
        "long line": b"sha256,category\n" + b"\n".join([b"00" * 32 + b",A"] * 1_000 + [b"b" * (1 * MIB)]) + b"\n",
    }[shape]
    path = tmp_path / "bomb.csv"
    path.write_bytes(body)
    most, output, errors = watched(scene.aurora.start("publish", LIST, path, "--dry-run", "--json"))
    assert "Traceback" not in errors
    assert json.loads(output)["error"]["type"] in ("bad-input", "invalid-request"), output
    assert most < 400 * MIB, most // MIB


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "' + b"a" * (2 * MIB) + b'"}', 413),
        (b'{"name": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
        (b'{"name": "x", "days": 1e999999}', 400),
        (b'{"name": ' + b"9" * 500_000 + b"}", 400),
        (b"[" + b"{}," * 340_000 + b"{}]", 400),
        (b'{"name": "' + b"\\u0061" * 170_000 + b'"}', 400),
        (b"{" + b",".join(b'"%06d":[]' % number for number in range(80_000)) + b"}", 400),
        (b"\xff\xfe{}", 400),
    ],
    ids=["long", "deep", "exponent", "digits", "array", "escapes", "names", "encoding"],
)
def test_json_bombs(scene: Scene, body: bytes, status: int) -> None:
    """Again and again: the server neither grows nor tires, and answers others at once."""
    with growth([scene.hub.pids()["web"]]) as grown:
        begun = time.monotonic()
        for _ in range(5):
            assert scene.signed("POST", "access-keys", body).status_code == status
        assert time.monotonic() - begun < 20
        assert grown() < 120 * MIB
    begun = time.monotonic()
    assert requests.get(f"{scene.url}/healthz", timeout=10).status_code == 200
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("path", [r"/heads$", r"/tokens$"])
def test_json_bombs_for_a_member(scene: Scene, cobalt: Victim, path: str) -> None:
    """A hub that answers with what is deep, endless in digits, or a thousand times larger once it is unpacked."""
    bombs: list[tuple[bytes, dict[str, str]]] = [
        (b"[" * 200_000, {}),
        (b'{"lists":[' + b"9" * 500_000 + b"]}", {}),
        (b'{"lists":[{"name":1e999}],"expires_in":1e999,"token":"x"}', {}),
        (gzip.compress(b" " * (300 * MIB)), {"Content-Encoding": "gzip"}),
    ]
    for number, (body, headers) in enumerate(bombs):
        (cobalt.machine.home / "token.json").unlink(missing_ok=True)
        scene.between.serve(path, body=body, headers={"Content-Type": "application/json", **headers})
        most, output, errors = watched(cobalt.machine.start("sync", LIST, "--json"))
        assert json.loads(output)["error"]["type"] == "network", (number, output, errors)
        assert most < 250 * MIB, (number, most // MIB)
    assert cobalt.held()["version"] == 1
    scene.between.honest()
    cobalt.recovers()
