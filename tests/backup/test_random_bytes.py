"""A backup of random and mutated bytes is refused by name: no other error, and nothing of it is believed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hashshare.backup.checking import check_backup
from hashshare.backup.description import Description
from hashshare.backup.names import DESCRIPTION, KEYS, SUMS
from hashshare.backup.sealed_keys import open_keys
from hashshare.backup.sums import named_line, read_named, read_sums
from hashshare.backup.tape import read_tape
from hashshare.wire.errors import BadBackup
from tests.backup.archives import WORDS, make
from tests.wire.test_random_bytes import mutated


def files() -> Iterator[tuple[str, bytes]]:
    """Those of a whole backup, and the same as one tar."""
    with TemporaryDirectory() as folder:
        make(Path(folder) / "kept.tar")
        yield "tar", (Path(folder) / "kept.tar").read_bytes()
        make(Path(folder) / "kept")
        for name in (DESCRIPTION, SUMS, KEYS):
            yield name, (Path(folder) / "kept" / name).read_bytes()


KEPT = dict(files())
NAMED = named_line("0" * 64, 12, f"objects/{'ab' * 8}/{'0' * 64}.base-1-0000.parquet")


def whole(body: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kept.tar"
        path.write_bytes(body)
        check_backup(path, passphrase=WORDS)


def tape(body: bytes) -> None:
    for member in read_tape(io.BytesIO(body)):
        for _ in member.blocks:
            pass


READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "description": (KEPT[DESCRIPTION], Description.parse),
    "sums": (KEPT[SUMS], lambda body: list(read_sums(io.BytesIO(body)))),
    "names": (NAMED, lambda body: list(read_named(io.BytesIO(body)))),
    "tape": (KEPT["tar"], tape),
}


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=150, deadline=None)
@given(body=st.binary(min_size=1, max_size=1_600))
@example(b"{}")
@example(b"[" * 100_000)
@example(bytes(512) + b"x" * 600)
@example(b"\n")
@example(b"\xff" * 1024)
def test_random_bytes(what: str, body: bytes) -> None:
    if what == "tape" and body[:512] == bytes(512):
        return  # an empty tape; that it is no backup is for the whole to say
    with pytest.raises(BadBackup):
        READERS[what][1](body)


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_mutated_bytes(what: str, data: st.DataObject) -> None:
    body, reader = READERS[what]
    reader(body)
    try:
        reader(data.draw(mutated(body)))
    except BadBackup as error:
        assert error.message


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_mutated_keys(data: st.DataObject) -> None:
    """Each try that is not refused for its shape takes half a second of scrypt, so there are few."""
    bound = Description.parse(KEPT[DESCRIPTION]).bound()
    body = data.draw(mutated(KEPT[KEYS]))
    try:
        opened = open_keys(body, passphrase=WORDS, bound_to=bound)
    except BadBackup as error:
        assert error.message
    else:
        assert opened == open_keys(KEPT[KEYS], passphrase=WORDS, bound_to=bound)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_as_a_whole(data: st.DataObject) -> None:
    """Any change that is not undone by itself: a digest, a name or an end no longer fits."""
    body = data.draw(mutated(KEPT["tar"]).filter(lambda changed: changed[:-1024] != KEPT["tar"][:-1024]))
    try:
        whole(body)
    except BadBackup as error:
        assert error.message
