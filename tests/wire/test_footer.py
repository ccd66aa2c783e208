"""A footer of a few bytes that claims millions of elements is refused before a library makes room for them."""

from __future__ import annotations

import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hashshare.wire.errors import MalformedSegment
from hashshare.wire.footer import MAX_ELEMENTS, BadFooterError, check_footer
from hashshare.wire.segments import verify_segment

from .lists import IMAGES, delta, upsert


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def list_of(kind: int, count: int) -> bytes:
    return bytes([0xF0 | kind]) + varint(count)


VERSION = b"\x15\x02"
"""Field 1, i32."""
FIELD_LIST = b"\x19"
"""The next field, a list."""
INTEGER, BINARY, STRUCT = 5, 8, 12


def file_of(path: Path, footer: bytes) -> Path:
    path.write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    return path


@pytest.mark.parametrize("count", [MAX_ELEMENTS + 1, 5_000_000, 2**31 - 1, 2**32 + 1, 2**60])
def test_it_rejects_a_list_longer_than_a_segments(tmp_path: Path, count: int) -> None:
    path = file_of(tmp_path / "x.parquet", VERSION + FIELD_LIST + list_of(STRUCT, count) + bytes(64))
    with pytest.raises(MalformedSegment, match="claim to be longer"):
        verify_segment(path, fmt=IMAGES, kind="base")


def test_it_keeps_such_a_footer_from_taking_memory(tmp_path: Path) -> None:
    """The same file made DuckDB 2.0 take two gigabytes, whatever its memory limit was."""
    path = file_of(tmp_path / "x.parquet", VERSION + FIELD_LIST + list_of(STRUCT, 5_000_000) + bytes(64))
    script = textwrap.dedent(f"""
        import re
        from pathlib import Path
        from hashshare.wire.entries import ListFormat
        from hashshare.wire.errors import MalformedSegment
        from hashshare.wire.segments import verify_segment
        try:
            verify_segment(Path({str(path)!r}), fmt=ListFormat(("sha256",), "uk-abc"), kind="base")
        except MalformedSegment:
            print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
    """)
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    # Not ru_maxrss, which begins with what the process had that started this one.
    assert int(said.stdout) * 1024 < 500 * 1024**2


def test_it_adds_up_the_lists() -> None:
    """Each row group may have columns, and each claims them anew."""
    columns = FIELD_LIST + list_of(STRUCT, 40_000) + bytes(40_000) + b"\x00"
    one = VERSION + b"\x39" + list_of(STRUCT, 1) + columns + b"\x00"
    check_footer(one)
    with pytest.raises(BadFooterError, match="claim to be longer"):
        check_footer(VERSION + b"\x39" + list_of(STRUCT, 2) + 2 * columns + b"\x00")


@pytest.mark.parametrize("kind", [INTEGER, BINARY, 1, 3, 9])
def test_it_rejects_a_list_of_other_elements_than_readers_expect(kind: int) -> None:
    """A reader takes them for structs all the same, and would find the long list that hides in them."""
    hidden = varint(40) + FIELD_LIST + list_of(STRUCT, 2**31 - 1) + bytes(40)
    with pytest.raises(BadFooterError, match="does not have in that place"):
        check_footer(VERSION + FIELD_LIST + list_of(kind, 1) + hidden)


def test_it_rejects_a_list_where_parquet_has_none() -> None:
    with pytest.raises(BadFooterError, match="does not have in that place"):
        check_footer(b"\x89" + list_of(INTEGER, 1) + b"\x00\x00")


@pytest.mark.parametrize(
    ("footer", "words"),
    [
        (b"", "ends in the middle"),
        (VERSION, "ends in the middle"),
        (b"\x18\x7fshort", "ends in the middle"),
        (b"\x15" + b"\xff" * 11, "too many bytes"),
        (b"\x1b\x00", "type 11"),
        (b"\x1c" * 40, "too deep"),
        (b"\x11" * 600_000 + b"\x00", "too many fields"),
    ],
)
def test_it_rejects_what_is_no_footer(footer: bytes, words: str) -> None:
    with pytest.raises(BadFooterError, match=words):
        check_footer(footer)


def test_it_accepts_what_the_publishers_tool_writes(tmp_path: Path) -> None:
    path, facts = delta(tmp_path, "good", [upsert(number) for number in range(40)])
    assert verify_segment(path, fmt=IMAGES, kind="delta").rows == facts.rows
