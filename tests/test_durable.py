"""State is written in one way: on the disk before it is seen, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from hashshare import durable

ROOT = Path(__file__).parents[1]


def test_the_disk_is_asked_in_one_place_only() -> None:
    asking = [
        str(path.relative_to(ROOT))
        for folder in ("hashshare", "config")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "fsync(" in path.read_text()
    ]
    assert asking == ["hashshare/durable.py"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the disk, in order: `file` and `folder` synced, and renames to a name."""
    seen: list[str] = []
    sync, rename, link = os.fsync, Path.replace, Path.hardlink_to

    def fsync(descriptor: int) -> None:
        seen.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replace(path: Path, to: Path) -> Path:
        seen.append(f"is {to.name}")
        return rename(path, to)

    def hardlink_to(path: Path, at: Path) -> None:
        seen.append(f"is {path.name}")
        link(path, at)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    return seen


def test_a_file_is_on_the_disk_before_it_is_seen(calls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "x"
    durable.replace_file(path, b"one")
    assert calls == ["file", "is x", "folder"]
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"one", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_the_first_of_two_that_create_a_file_wins(calls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert durable.create_file(path, b"one")
    assert calls == ["file", "is x", "folder"]
    assert not durable.create_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_overwrites_none(calls: list[str], tmp_path: Path) -> None:
    durable.write_new(tmp_path / "x", b"one")
    assert calls == ["file", "folder"]
    with pytest.raises(FileExistsError):
        durable.write_new(tmp_path / "x", b"two")


def test_half_a_line_is_cut_off_before_the_next(calls: list[str], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one\ntw")
    durable.append_lines(path, [b"three\n"])
    assert path.read_bytes() == b"one\nthree\n"
    assert calls == ["file", "folder"]


def test_a_full_disk_is_said_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (durable.replace_file, durable.create_file, durable.write_new):
        with pytest.raises(OSError, match="No space") as caught:
            write(tmp_path / "x", b"one")
        assert caught.value.filename == str(tmp_path / "x")
        (tmp_path / "x").unlink(missing_ok=True)


def test_a_folder_that_cannot_be_synced_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have no way to."""
    monkeypatch.setattr(os, "fsync", lambda _: _fails(22))
    durable.sync_folder(tmp_path)
    monkeypatch.setattr(os, "fsync", lambda _: _fails(5))
    with pytest.raises(OSError, match="broken"):
        durable.sync_folder(tmp_path)


def _fails(number: int) -> Any:
    raise OSError(number, "broken")
