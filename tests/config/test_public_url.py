"""The hub's address where none is set: that of the hub that runs on the data folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.environment import public_url


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HASHSHARE_PUBLIC_URL", raising=False)


def says(folder: Path, pid: int) -> None:
    (folder / "hub.json").write_text(json.dumps({"public": "http://127.0.0.1:8107", "pid": pid}))


def test_it_is_that_of_the_running_hub(tmp_path: Path) -> None:
    says(tmp_path, os.getpid())
    assert public_url(tmp_path) == "http://127.0.0.1:8107"


def test_what_is_set_counts_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says(tmp_path, os.getpid())
    monkeypatch.setenv("HASHSHARE_PUBLIC_URL", "https://hub.example/")
    assert public_url(tmp_path) == "https://hub.example"


def test_a_hub_that_was_killed_says_nothing(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    says(tmp_path, ended.pid)
    assert public_url(tmp_path) == "http://127.0.0.1:8000"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x"}'])
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "hub.json").write_text(text)
    assert public_url(tmp_path) == "http://127.0.0.1:8000"
