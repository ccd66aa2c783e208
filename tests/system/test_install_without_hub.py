"""`pip install hashshare` without the extra: the command works where there is no Django, no Celery, no database."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.system.hub import ROOT, clean_environment

REFUSING = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "rest_framework", "celery", "kombu", "psycopg", "gunicorn", "environs"}:
            raise ModuleNotFoundError(f"{name} is not installed here", name=name)
        return None

sys.meta_path.insert(0, Refuse())
"""
"""Run by Python at start (sitecustomize): as if the hub's packages were not installed."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with hashshare as its wheel installs it, and nothing of this tree."""
    tree = tmp_path_factory.mktemp("tree") / "hashshare"
    left_out = shutil.ignore_patterns(".git", ".venv", "var", "build", "*.egg-info", "__pycache__", "tests", "site")
    shutil.copytree(ROOT, tree, ignore=left_out)
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("target")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "-w", wheels, tree],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (wheel,) = wheels.glob("hashshare-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    (target / "sitecustomize.py").write_text(REFUSING)
    return target


def hashshare(installed: Path, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(PYTHONPATH=str(installed), HASHSHARE_HOME=str(home))
    return subprocess.run(
        [sys.executable, "-m", "hashshare", *words],
        cwd=home.parent, env=environment, text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip


def test_it_has_every_command(installed: Path, tmp_path: Path) -> None:
    said = hashshare(installed, "--help", home=tmp_path / "home")
    assert said.returncode == 0, said.stderr
    for command in ("enroll", "sync", "publish", "scan", "request"):
        assert command in said.stdout


def test_it_runs_without_the_hub_s_packages(installed: Path, tmp_path: Path) -> None:
    imported = subprocess.run(
        [sys.executable, "-c", "import hashshare.client.cli.app, sys; print(hashshare.__file__); import django"],
        cwd=tmp_path, env=clean_environment(PYTHONPATH=str(installed)), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert imported.stdout.strip().startswith(str(installed))
    assert "django is not installed here" in imported.stderr
    said = hashshare(installed, "status", "--json", home=tmp_path / "home")
    assert said.returncode == 3, said.stderr  # not enrolled yet, and it says so
    assert '"error"' in said.stdout


def test_it_brings_the_hub_s_pages_and_files_too(installed: Path) -> None:
    assert (installed / "hashshare" / "py.typed").exists()
    assert (installed / "config" / "settings.py").exists()
    assert list((installed / "hashshare" / "templates").rglob("*.html"))
    assert list((installed / "hashshare" / "static").rglob("*.css"))
    assert not (installed / "tests").exists()
