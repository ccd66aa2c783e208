"""`receipts --check FILE`: a receipt downloaded in the browser, checked by what this machine knows of the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.receipts import receipts_path
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North


@pytest.fixture
def log(cobalt: Cobalt, aurora: Aurora, north: North) -> Ledger:
    """One version delivered and acknowledged, and sealed."""
    cobalt.call("pin", aurora.domain, aurora.fingerprint)
    log = north.logs[aurora.domain]
    aurora.release(items(3))
    cobalt.call("sync")
    log.pad(7)
    log.seal()
    cobalt.call("receipts")
    return log


@pytest.fixture
def handed(cobalt: Cobalt, aurora: Aurora, log: Ledger, tmp_path: Path) -> Path:
    """As the desk gives it: the first line of what the command keeps has the same form."""
    path = tmp_path / "receipt-aurora.example-images-0.json"
    path.write_bytes(receipts_path(cobalt.home, aurora.list_id).read_bytes().splitlines()[0] + b"\n")
    return path


def checked(cobalt: Cobalt, path: Path, *more: str) -> tuple[int, str]:
    """The exit code, and what was told on stderr in one line."""
    done = cobalt.call("receipts", "--check", str(path), *more)
    return done.status, " ".join(done.err.split())


def test_it_verifies_without_the_network(cobalt: Cobalt, north: North, handed: Path) -> None:
    north.requests.clear()
    [file] = cobalt.call("receipts", "--check", str(handed), "--json").json["files"]
    [receipt] = file["receipts"]
    assert (receipt["list"], receipt["version"], receipt["what"]) == ("aurora.example/images", 2, "delivered")
    assert not north.requests
    assert "delivered" in cobalt.call("receipts", "--check", str(handed)).out


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda kept: kept.update(row=kept["row"].replace('"version":2', '"version":3')), "does not lead to the root"),
        (lambda kept: kept.update(row=kept["row"].replace('"cobalt"', '"granite"')), "is about granite"),
        (lambda kept: kept.update(index=kept["index"] + 1), "is of leaf"),
        (lambda kept: kept.update(receipt=kept["receipt"].replace("index", "place")), ""),
        (lambda kept: kept.pop("nonce"), ""),
    ],
)
def test_what_was_changed_does_not_verify(cobalt: Cobalt, handed: Path, change: Any, word: str) -> None:
    kept = json.loads(handed.read_text())
    change(kept)
    handed.write_text(json.dumps(kept))
    code, told = checked(cobalt, handed)
    assert code == 4
    assert f"{handed.name} line 1" in told
    assert word in told


@pytest.mark.parametrize("body", [b"", b"\n\n"])
def test_an_empty_file_is_a_mistake(cobalt: Cobalt, log: Ledger, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "empty.json"
    path.write_bytes(body)
    code, told = checked(cobalt, path)
    assert code == 2
    assert "is empty" in told


def test_what_is_no_receipt_or_not_there_is_told_by_name(cobalt: Cobalt, log: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "picture.json"
    assert checked(cobalt, path)[0] == 2
    path.write_bytes(b"\x89PNG")
    code, told = checked(cobalt, path)
    assert code == 4
    assert "is no receipt" in told
    assert "--check goes alone" in checked(cobalt, path, "--offline")[1]
