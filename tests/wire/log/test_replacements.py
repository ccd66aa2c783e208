"""A leaf that tells of a replaced root is written in one way and read in that alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log import RootReplaced, publication_entry

TOLD = RootReplaced("aurora.example", "0" * 64, "f" * 64, datetime(2026, 11, 28, 12, tzinfo=UTC))


def test_it_is_read_as_it_was_written() -> None:
    assert RootReplaced.read(TOLD.to_entry()) == TOLD
    assert TOLD.to_entry().decode().splitlines() == [
        "hashshare-root-replaced/1", "aurora.example", "0" * 64, "f" * 64, "2026-11-28T12:00:00Z",
    ]  # fmt: skip


def test_other_entries_are_none_of_it() -> None:
    assert RootReplaced.read(publication_entry(b"a root")) is None
    assert RootReplaced.read(b"") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"aurora.example", b"Aurora"),
        (b"0" * 64, b"0" * 63),
        (b"f" * 64, b"F" * 64),
        (b"Z\n", b"Z"),
        (b"Z\n", b"Z\nmore\n"),
        (b"12:00:00Z", b"12:00:00+00:00"),
        (b"2026-11-28T", b"2026-13-28T"),
        (b"aurora", b"\xff\xff"),
    ],
)
def test_whatever_is_written_otherwise_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(MalformedLog):
        RootReplaced.read(TOLD.to_entry().replace(old, new))
