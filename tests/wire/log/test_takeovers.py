"""The leaf that says where a publisher is at home from now on is read by anybody, in one form only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log import RootReplaced, TakenOver, publication_entry

TOLD = TakenOver("aurora.example", "north.example", "127.0.0.1:8001", datetime(2026, 11, 28, 12, tzinfo=UTC))


def test_it_is_read_as_it_was_written() -> None:
    assert TakenOver.read(TOLD.to_entry()) == TOLD
    assert TOLD.to_entry().decode().splitlines() == [
        "hashshare-taken-over/1", "aurora.example", "north.example", "127.0.0.1:8001", "2026-11-28T12:00:00Z",
    ]  # fmt: skip


def test_other_entries_are_none_of_it() -> None:
    assert TakenOver.read(publication_entry(b"a root")) is None
    assert RootReplaced.read(TOLD.to_entry()) is None
    assert TakenOver.read(b"") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"aurora.example", b"Aurora"),
        (b"north.example", b"North Hub"),
        (b"127.0.0.1:8001\n", b""),
        (b"Z\n", b"Z"),
        (b"Z\n", b"Z\nmore\n"),
        (b"12:00:00Z", b"12:00:00+00:00"),
        (b"2026-11-28T", b"2026-13-28T"),
        (b"north", b"\xff\xff"),
    ],
)
def test_whatever_is_written_otherwise_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(MalformedLog):
        TakenOver.read(TOLD.to_entry().replace(old, new))
