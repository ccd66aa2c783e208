"""docs/examples/verify_receipt.py, which knows nothing of hashshare, on the golden receipts and on damaged ones."""

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

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "verify_receipt.py"
VECTOR: dict[str, Any] = json.loads((FOLDER / "log-receipts.json").read_text())


def run(folder: Path, *, vkey: str, receipt: str, row: str, nonce: bytes) -> subprocess.CompletedProcess[str]:
    (folder / "receipt").write_text(receipt)
    (folder / "row").write_text(row)
    words = [vkey, str(folder / "receipt"), str(folder / "row"), base64.b64encode(nonce).decode()]
    return subprocess.run(
        [sys.executable, "-P", str(EXAMPLE), *words], capture_output=True, text=True, timeout=60, check=False
    )


def golden(number: int, **changes: Any) -> dict[str, Any]:
    leaf = VECTOR["leaves"][number]
    given = {"vkey": VECTOR["verifier_key"], "receipt": leaf["receipt"], "row": leaf["row"]}
    return {**given, "nonce": bytes.fromhex(leaf["nonce"]), **changes}


@pytest.mark.parametrize("number", range(5))
def test_it_verifies(tmp_path: Path, number: int) -> None:
    done = run(tmp_path, **golden(number))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"leaf {number} of 5 in {VECTOR['origin']}:")


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 13])
def test_it_verifies_trees_of_other_shapes(tmp_path: Path, size: int) -> None:
    openings = [new_opening(f'{{"kind":"padding","number":{number}}}') for number in range(size)]
    log = Grown([entry_of(opening) for opening in openings])
    for index in {0, size // 2, size - 1}:
        receipt = Receipt(index, tuple(log.tree.inclusion_proof(index)), log.note).to_text()
        opening = openings[index]
        done = run(tmp_path, vkey=VERIFIER.to_text(), receipt=receipt, row=opening.row, nonce=opening.nonce)
        assert done.returncode == 0, done.stderr


def test_it_refuses_what_differs(tmp_path: Path) -> None:
    receipt, row = VECTOR["leaves"][0]["receipt"], VECTOR["leaves"][0]["row"]
    other = VERIFIER.to_text().replace("north", "south")
    for changes in (
        {"row": row.replace("cobalt", "dorado")},
        {"nonce": bytes(32)},
        {"receipt": VECTOR["leaves"][1]["receipt"]},
        {"receipt": receipt.replace("index 0", "index 1")},
        {"receipt": receipt.replace("\n5\n", "\n6\n")},
        {"receipt": receipt.replace("@v1", "@v2")},
        {"vkey": other},
    ):
        assert run(tmp_path, **golden(0, **changes)).returncode != 0, changes
