"""The leaf that says with which key a hub cosigns from now on is read by anybody, in one form only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log import TakenOver, WitnessKeyReplaced, publication_entry

TOLD = WitnessKeyReplaced("127.0.0.1:8001", "0f" * 32, "a1" * 32, datetime(2026, 11, 28, 12, tzinfo=UTC))


def test_it_is_read_as_it_was_written() -> None:
    assert WitnessKeyReplaced.read(TOLD.to_entry()) == TOLD
    assert TOLD.to_entry().decode().splitlines() == [
        "hashshare-witness-key/1", "127.0.0.1:8001", "0f" * 32, "a1" * 32, "2026-11-28T12:00:00Z",
    ]  # fmt: skip


def test_other_entries_are_none_of_it() -> None:
    assert WitnessKeyReplaced.read(publication_entry(b"a root")) is None
    assert TakenOver.read(TOLD.to_entry()) is None
    assert WitnessKeyReplaced.read(b"") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"127.0.0.1:8001", b"South Hub"),
        (b"0f0f", b"0F0f"),
        (b"a1" * 32, b"a1" * 31),
        (b"Z\n", b"Z\nmore\n"),
    ],
)
def test_whatever_is_written_otherwise_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(MalformedLog):
        WitnessKeyReplaced.read(TOLD.to_entry().replace(old, new))
