"""docs/examples/verify_receipts.py, which knows nothing of hashshare, on the golden receipts and on damaged ones."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hashshare.wire.log import Receipt, entry_of, new_opening
from tests.vectors.generate import FOLDER
from tests.vectors.log import VERIFIER, Grown

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "verify_receipts.py"
VECTOR: dict[str, Any] = json.loads((FOLDER / "log-receipts.json").read_text())


Kept = dict[str, str]


def run(folder: Path, *kept: Kept, vkey: str = VECTOR["verifier_key"]) -> subprocess.CompletedProcess[str]:
    """On files as the client exports them."""
    files = [folder / f"{number}.tlog-proof" for number, _ in enumerate(kept)]
    for file, one in zip(files, kept, strict=True):
        for ending, name in ((".tlog-proof", "receipt"), (".row", "row"), (".nonce", "nonce")):
            file.with_suffix(ending).write_bytes(one[name].encode())
    words = [sys.executable, "-P", str(EXAMPLE), vkey, *map(str, files)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def golden(number: int) -> Kept:
    leaf = VECTOR["leaves"][number]
    nonce = base64.b64encode(bytes.fromhex(leaf["nonce"])).decode()
    return {"row": leaf["row"], "nonce": nonce, "receipt": leaf["receipt"]}


def test_it_verifies(tmp_path: Path) -> None:
    done = run(tmp_path, *(golden(number) for number in range(5)))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines == [f"leaf {number} of 5 {golden(number)['row']}" for number in range(5)]


def test_it_verifies_trees_of_other_shapes(tmp_path: Path) -> None:
    kept = []
    for size in range(1, 14):
        openings = [new_opening(f'{{"kind":"padding","number":{number}}}') for number in range(size)]
        log = Grown([entry_of(opening) for opening in openings])
        for index, opening in enumerate(openings):
            receipt = Receipt(index, tuple(log.tree.inclusion_proof(index)), log.note).to_text()
            nonce = base64.b64encode(opening.nonce).decode()
            kept.append({"row": opening.row, "nonce": nonce, "receipt": receipt})
    done = run(tmp_path, *kept)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(kept)


@pytest.mark.parametrize(
    "wrong",
    [
        {"row": golden(0)["row"].replace("cobalt", "dorado")},
        {"nonce": base64.b64encode(bytes(32)).decode()},
        {"nonce": base64.b64encode(bytes(31)).decode()},
        {"receipt": golden(1)["receipt"]},
        {"receipt": golden(0)["receipt"].replace("index 0", "index 1")},
        {"receipt": golden(0)["receipt"].replace("index 0", "index 5")},
        {"receipt": golden(0)["receipt"].replace("\n5\n", "\n6\n")},
        {"receipt": golden(0)["receipt"].replace("@v1", "@v2")},
    ],
)
def test_it_refuses_what_differs(tmp_path: Path, wrong: Kept) -> None:
    done = run(tmp_path, {**golden(0), **wrong})
    assert (done.returncode, done.stdout) == (1, "")


def test_the_verifier_key_is_made_as_the_page_says() -> None:
    origin, log_key = VERIFIER.name, base64.b64encode(VERIFIER.public).decode()
    words = [sys.executable, "-P", str(EXAMPLE.with_name("verifier_key.py"))]
    done = subprocess.run([*words, origin, log_key], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{VERIFIER.to_text()}\n"
    assert subprocess.run(words, capture_output=True, timeout=60, check=False).returncode == 1


def test_it_does_not_say_that_nothing_is_verified(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 1
    assert run(tmp_path, golden(0), vkey="north.example").stderr == "that is no verifier key\n"


def test_it_refuses_another_log_or_key(tmp_path: Path) -> None:
    for vkey in (VERIFIER.to_text().replace("north", "south"), VERIFIER.to_text().replace("+", "+0", 1)):
        assert run(tmp_path, golden(0), vkey=vkey).returncode == 1
