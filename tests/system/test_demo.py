"""The README's first command, as it is written but for the port: it ends by itself, and its figures hold."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.hub import ROOT, clean_environment, free_port


@pytest.mark.slow
def test_it_tells_the_whole_story_and_leaves_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--once", "--json", "--port", str(free_port())],
        cwd=ROOT, env=clean_environment(TMPDIR=str(tmp_path)), text=True, capture_output=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["published"] > 1_000
    assert told["delta_share_of_full"] < 0.2
    assert (told["scanned"], told["matches"]) == (200, 25)
    assert told["tampered_segment_refused"] is True
    assert told["statistics_entries"] == told["entries"]
    assert 0 < told["withdrawal_applied_seconds"] < 120
    assert (told["receipts"] >= 6, told["receipt_verified_elsewhere"], told["audited_leaves"] > 6) == (True, True, True)
    assert told["second_hub_version"] == 6
    assert 0 < told["second_hub_applied_seconds"] < 120
    assert [job["of"] for job in told["jobs"]] == ["publish", "add", "withdraw"]
    assert all(re.fullmatch(r"worker-\d@\S+ \(process \d+\)", job["worker"]) for job in told["jobs"])
    assert len({job["task_id"] for job in told["jobs"]}) == 3
    assert list(tmp_path.iterdir()) == []
