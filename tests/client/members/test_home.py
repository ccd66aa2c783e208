"""The client's folder: private, and never somebody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hashshare.client.home import Home, checked_domain, checked_list_id, file_lock, split_list_name, write_atomic
from hashshare.wire.errors import UsageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_the_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        home = Home.open(tmp_path / "a" / "b")
        write_atomic(home.path / "x" / "y.json", b"{}")
    finally:
        os.umask(old)
    assert [mode(home.path), mode(home.path / "x"), mode(home.path / "x" / "y.json")] == [0o700, 0o700, 0o600]


def test_it_closes_an_empty_folder_that_was_made_for_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert mode(Home.open(tmp_path).path) == 0o700


def test_it_does_not_take_over_a_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "somebody").touch()
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="other things"):
        Home.open(tmp_path)
    assert mode(tmp_path) == 0o777


def test_it_says_when_the_folder_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used as home"):
        Home.open(tmp_path / "file" / "home")


@pytest.mark.parametrize("text", ["", "..", "../etc", "a/b", "aurora", "Aurora.example", "aurora.example/", "a..b"])
def test_it_rejects_domains_that_are_no_folder_names(text: str) -> None:
    with pytest.raises(UsageError):
        checked_domain(text)


@pytest.mark.parametrize("text", ["", "..", "0" * 15, "0" * 17, "A" * 16])
def test_it_rejects_list_ids_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        checked_list_id(text)


@pytest.mark.parametrize("text", ["images", "aurora.example/", "aurora.example/a/b", "/images", "aurora.example/.."])
def test_it_rejects_names_that_are_no_list(text: str) -> None:
    with pytest.raises(UsageError):
        split_list_name(text)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    write_atomic(path, b"old")
    monkeypatch.setattr(os, "fsync", _full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.json"]


def _full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with file_lock(tmp_path / "l") as first, file_lock(tmp_path / "l", blocking=False) as second:
        assert (first, second) == (True, False)
    with file_lock(tmp_path / "l", shared=True) as one, file_lock(tmp_path / "l", shared=True) as two:
        assert (one, two) == (True, True)
