"""A backup that somebody changed: `manage.py restore` refuses it by name, before anything is in its place."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import postgres
from tests.attacks.scene import Scene
from tests.system.hub import RunningHub

WORDS = {"HASHSHARE_BACKUP_PASSPHRASE": "a passphrase of words"}


@pytest.fixture(scope="module")
def kept(coalition: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the running hub, as a folder."""
    path = tmp_path_factory.mktemp("kept") / "backup"
    hub = coalition.hub
    replace(hub, environment={**hub.environment, **WORDS}).manage("backup", str(path))
    return path


@pytest.fixture
def empty(coalition: Scene, tmp_path: Path) -> Iterator[RunningHub]:
    """A place to restore into: no hub runs there."""
    data = tmp_path / "elsewhere"
    data.mkdir(mode=0o711)
    tmp_path.chmod(0o711)
    hub = coalition.hub
    yield RunningHub(data, hub.port, {**hub.environment, **WORDS, "HASHSHARE_DATA": str(data)})
    postgres.destroy(data)


def object_of(folder: Path) -> Path:
    return next(folder.glob("objects/*/*"))


def flip_a_byte(folder: Path) -> None:
    path = object_of(folder)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def tell_another_story(folder: Path) -> None:
    path = folder / "backup.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"made_at": "2020-01-01T00:00:00Z"}))


def climb_out(folder: Path) -> None:
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text() + f"{'0' * 64}  objects/../../outside\n")


def link_elsewhere(folder: Path) -> None:
    path = object_of(folder)
    path.unlink()
    path.symlink_to("/etc/passwd")


def add_a_file(folder: Path) -> None:
    (object_of(folder).parent / "more").write_text("x")


BACKUPS: list[tuple[Callable[[Path], None], str]] = [
    (flip_a_byte, "is damaged"),
    (tell_another_story, "do not open"),
    (climb_out, "has a line that no backup has"),
    (link_elsewhere, "not whole"),
    (add_a_file, "belong to the backup"),
]


@pytest.mark.parametrize(("tamper", "words"), BACKUPS, ids=[tamper.__name__ for tamper, _ in BACKUPS])
def test_a_backup_that_was_changed(
    kept: Path, empty: RunningHub, tmp_path: Path, tamper: Callable[[Path], None], words: str
) -> None:
    """`manage.py restore` names what is wrong with it, and brings neither keys nor objects nor tables into place."""
    folder = tmp_path / "changed"
    shutil.copytree(kept, folder)
    tamper(folder)
    done = empty.manage("restore", str(folder), check=False)
    assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    left = {path.name for path in empty.data.rglob("*") if path.is_file() and "postgresql" not in path.parts}
    assert not {name for name in left if name.endswith((".pem", ".parquet")) or name == "restoring.json"}, left


def test_a_backup_with_paths_that_climb(empty: RunningHub, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w", format=tarfile.GNU_FORMAT) as file:
        file.addfile(tarfile.TarInfo("../outside"))
    done = empty.manage("restore", str(tmp_path / "evil.tar"), check=False)
    assert (done.returncode, "no backup has" in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "outside").exists()
