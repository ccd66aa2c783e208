"""docs/examples/verify_acknowledgement.py, which knows nothing of hashshare, on golden statements and damaged ones."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from hashshare.wire import keys
from tests.vectors.cast import key
from tests.vectors.generate import FOLDER
from tests.vectors.reports import COBALT, GRANITE

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "verify_acknowledgement.py"
REPORT = json.loads((FOLDER / "reports.json").read_text())
STATEMENT = json.loads(REPORT["payload"])["statements"][0]
PUBLIC = base64.b64encode(keys.public_bytes(key(COBALT))).decode()


def run(folder: Path, document: str, public: str = PUBLIC) -> subprocess.CompletedProcess[str]:
    """By an interpreter that finds no package of ours."""
    file = folder / "statement.json"
    file.write_bytes(document.encode())
    words = [sys.executable, "-P", str(EXAMPLE), public, str(file)]
    return subprocess.run(words, cwd=folder, text=True, capture_output=True, check=False, timeout=60)


def test_it_verifies_what_a_report_handed_on(tmp_path: Path) -> None:
    done = run(tmp_path, STATEMENT["document"], STATEMENT["key"])
    assert done.returncode == 0, done.stderr
    assert "cobalt at https://south.example applied aurora.example/images version 58" in done.stdout
    assert "up to version 41" in done.stdout


@pytest.mark.parametrize("damage", ["another key", "another statement", "another kind"])
def test_it_refuses(tmp_path: Path, damage: str) -> None:
    document, public = STATEMENT["document"], PUBLIC
    if damage == "another key":
        public = base64.b64encode(keys.public_bytes(key(GRANITE))).decode()
    else:
        envelope = json.loads(document)
        if damage == "another statement":
            payload = base64.b64decode(envelope["payload"]).replace(b'"version":58', b'"version":59')
            envelope["payload"] = base64.b64encode(payload).decode()
        else:
            envelope["payloadType"] = "application/vnd.hashshare.report+json"
        document = json.dumps(envelope)
    done = run(tmp_path, document, public)
    assert (done.returncode, done.stderr.startswith("refused: ")) == (1, True)
