"""A backup is taken whole and as it was made, or refused by name before anything is touched."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from hashshare.backup import writers
from hashshare.backup.checking import check_backup
from hashshare.backup.names import DESCRIPTION, DUMP, KEYS, SUMS
from hashshare.wire.errors import BadBackup, HashshareError, UsageError
from tests.backup.archives import KEYS_HELD, WORDS, make


def check(source: Path) -> None:
    check_backup(source, passphrase=WORDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    make(tmp_path / "kept.tar")
    return tmp_path / "kept.tar"


@pytest.mark.parametrize("name", ["kept", "kept.tar"])
def test_it_takes_what_was_made(tmp_path: Path, name: str) -> None:
    made = make(tmp_path / name)
    found = check_backup(tmp_path / name, passphrase=WORDS)
    assert (found.description, found.keys) == (made, KEYS_HELD)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_any_tar_reads_it(tape: Path) -> None:
    with tarfile.open(tape) as file:
        names = file.getnames()
    assert (names[0], names[-3:]) == (DUMP, [SUMS, KEYS, DESCRIPTION])


@pytest.mark.parametrize("name", [DUMP, SUMS, KEYS, DESCRIPTION])
def test_it_names_a_file_that_is_missing(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadBackup, match=f"{name} is missing"):
        check(folder)


@pytest.mark.parametrize("name", [DUMP, SUMS, KEYS, "object"])
def test_it_names_a_file_with_a_changed_byte(folder: Path, name: str) -> None:
    path = next(folder.glob("objects/*/*")) if name == "object" else folder / name
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    with pytest.raises(BadBackup):
        check(folder)


def test_it_refuses_another_s_word_about_the_backup(folder: Path) -> None:
    """Digests can be made by anybody; the passphrase is what binds them to the hub."""
    path = folder / DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"made_at": "2020-01-01T00:00:00Z"}))
    with pytest.raises(BadBackup, match="do not open"):
        check(folder)


def test_it_refuses_a_file_more(folder: Path) -> None:
    (folder / "objects" / "more").write_text("x")
    with pytest.raises(BadBackup, match="belong to the backup"):
        check(folder)


def test_it_refuses_a_link_in_a_file_s_place(folder: Path) -> None:
    path = next(folder.glob("objects/*/*"))
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(BadBackup, match="not whole"):
        check(folder)


def test_it_refuses_a_backup_cut_anywhere(tape: Path) -> None:
    body = tape.read_bytes()
    for length in (0, 100, 512, 700, len(body) // 2, len(body) - 1024 - 1, len(body) - 1024):
        tape.write_bytes(body[:length])
        with pytest.raises(BadBackup):
            check(tape)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "objects/../../outside", "objects/abc", "other", "x" * 5_000]
)
def test_it_refuses_paths_that_no_backup_has(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w", format=tarfile.GNU_FORMAT) as file:
        file.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadBackup, match="no backup has"):
        check(tmp_path / "evil.tar")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.XHDTYPE])
def test_it_refuses_whatever_is_no_plain_file(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo(DUMP)
    info.type, info.linkname = kind, "/etc/passwd"
    (tmp_path / "evil.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(BadBackup, match="no backup has"):
        check(tmp_path / "evil.tar")


@pytest.mark.parametrize(
    ("format_", "words"),
    [("hashshare-backup/0", "not a backup"), ("hashshare-backup/2", "reads hashshare-backup/1"), ("zip", "not a back")],
)
def test_it_names_another_format(folder: Path, format_: str, words: str) -> None:
    path = folder / DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": format_}))
    with pytest.raises(BadBackup, match=words):
        check(folder)


@pytest.mark.parametrize("body", [b"", b"a letter", b"\x1f\x8b\x08" * 400, bytes(4096), b"\xff" * 2048])
def test_it_refuses_a_foreign_file(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "foreign.tar").write_bytes(body)
    with pytest.raises(BadBackup):
        check(tmp_path / "foreign.tar")


def test_it_is_never_written_over(folder: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        make(folder)


@pytest.mark.parametrize("name", ["half", "half.tar"])
def test_what_fails_leaves_nothing_that_looks_whole(tmp_path: Path, name: str) -> None:
    with pytest.raises(HashshareError, match="4 bytes, not 9"), writers.writing(tmp_path / name, made_at=0) as writer:
        writer.add(DUMP, 9, [b"half"])
    assert list(tmp_path.iterdir()) == []
