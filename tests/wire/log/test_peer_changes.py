from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log import PeerChange, publication_entry

AT = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)
ENTRY = b"hashshare-peer/1\nsouth.example\naccepted\n" + b"0a" * 32 + b"\n2026-11-28T12:00:00Z\n"


def test_it_reads_what_it_writes() -> None:
    change = PeerChange("south.example", "accepted", "0a" * 32, AT)

    assert change.to_entry() == ENTRY
    assert PeerChange.read(ENTRY) == change


def test_it_leaves_entries_of_other_kinds_to_others() -> None:
    assert PeerChange.read(publication_entry(b"{}")) is None
    assert PeerChange.read(b"hashshare-peer/2\n") is None


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY[:-1],
        ENTRY + b"\n",
        ENTRY.replace(b"accepted", b"trusted"),
        ENTRY.replace(b"south.example", b"South Example"),
        ENTRY.replace(b"0a0a", b"0A0A"),
        ENTRY.replace(b"2026-11-28T", b"2026-13-28T"),
        ENTRY.replace(b"12:00:00Z", b"12:00:00"),
        ENTRY.replace(b"\n2026", b"\n\n2026"),
        ENTRY.replace(b"south", b"s\xffuth"),
    ],
)
def test_it_refuses_what_is_not_written_as_it_must_be(entry: bytes) -> None:
    with pytest.raises(MalformedLog):
        PeerChange.read(entry)
