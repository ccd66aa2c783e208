"""`make` by itself lists what can be done, and says in a line what a bare machine lacks."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.hub import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A tree with no .venv yet."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, text=True, capture_output=True, check=False, timeout=60)


def python(folder: Path, *, fails_at: str) -> str:
    """A Python that is fine but for what `fails_at` stands in."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\ncase "$*" in *"{fails_at}"*) exit 1;; esac\nexit 0\n')
    program.chmod(0o755)
    return f"PYTHON={program}"


def test_it_lists_every_target(bare: Path) -> None:
    said = make(bare)
    assert said.returncode == 0
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in targets if f"\n  {target} " not in said.stdout] == []
    assert {"setup", "demo", "hub", "test", "test-services", "check", "bench", "lock"} <= set(targets)
    assert not (bare / ".venv").exists()


@pytest.mark.parametrize(
    ("fails_at", "remedy"),
    [("import venv, ensurepip", "apt-get install python3-venv"), ("version_info", "make PYTHON=python3.12")],
)
def test_it_names_the_remedy(bare: Path, fails_at: str, remedy: str) -> None:
    said = make(bare, "setup", python(bare, fails_at=fails_at))
    assert said.returncode != 0
    assert remedy in said.stderr.splitlines()[0]


def test_it_says_that_there_is_no_python(bare: Path) -> None:
    said = make(bare, "setup", "PYTHON=python-that-is-not-there")
    assert said.returncode != 0
    assert "Install Python 3.11 or newer" in said.stderr.splitlines()[0]
