"""What deploy/ ships is what systemd takes and what the documentation explains; nginx is tried in test_behind_nginx."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.hub import ROOT

UNIT = ROOT / "deploy" / "hashshare.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With programs and an account that are there; everything else as it is shipped."""
    text = UNIT.read_text().replace("/opt/hashshare/.venv/bin/python", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"^(User|Group)=hashshare$", r"\1=root", text, flags=re.MULTILINE))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], text=True, capture_output=True, check=False, timeout=60
    )
    assert (said.returncode, UNIT.name in said.stderr) == (0, False), said.stderr


def test_the_unit_leaves_stopping_to_the_hub() -> None:
    """SIGTERM goes to the supervisor alone, which ends its programs in order; whatever is left is killed after that."""
    assert "KillMode=mixed" in UNIT.read_text()


def test_every_setting_is_explained() -> None:
    explained = (ROOT / "docs" / "operations.md").read_text()
    shipped = re.findall(r"^([A-Z_]+)=", (ROOT / "deploy" / "hub.env").read_text(), re.MULTILINE)
    assert len(shipped) >= 6
    assert [name for name in shipped if f"`{name}`" not in explained] == []


def test_every_setting_that_is_read_is_explained() -> None:
    explained = (ROOT / "docs" / "operations.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "config").rglob("*.py"))
    read = set(re.findall(r'(?:env\.\w+|at_least_one|timetable)\(\s*"([A-Z_]+)"', code))
    assert "HASHSHARE_PUBLIC_URL" in read
    assert [name for name in sorted(read) if f"`{name}`" not in explained] == []
