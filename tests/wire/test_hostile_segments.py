"""A segment that is not exactly what the format says is refused, in words, whatever is wrong with it."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import MalformedSegment
from hashshare.wire.segments import verify_segment

from .lists import IMAGES, delta, digest, upsert, withdraw

FMT = ListFormat(("sha256", "md5"), "uk-abc", ("category", "expires", "pdq_quality"))
OPTIONS = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 131072, WRITE_BLOOM_FILTER false"
GOOD = {
    "op": "1::UTINYINT",
    "reason": "NULL::VARCHAR",
    "p": "i::UBIGINT",
    "s": "unhex(md5(i::VARCHAR) || left(md5(i::VARCHAR), 16))",
    "md5": "unhex(md5(i::VARCHAR))",
    "category": "'A'",
    "expires": "NULL::DATE",
    "pdq_quality": "50::UTINYINT",
}


def write(path: Path, *, rows: int = 100, order: str = "i", options: str = OPTIONS, **columns: str) -> Path:
    """A delta of FMT with some columns replaced, left out ("") or added."""
    wanted = {name: text for name, text in (GOOD | columns).items() if text}
    select = ", ".join(f"{text} AS {name}" for name, text in wanted.items())
    duckdb.connect().execute(f"COPY (SELECT {select} FROM range({rows}) r(i) ORDER BY {order}) TO '{path}' ({options})")
    return path


def test_it_accepts_the_good_one(tmp_path: Path) -> None:
    assert verify_segment(write(tmp_path / "x"), fmt=FMT, kind="delta").rows == 100


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"note": "'x'"}, "note VARCHAR"),
        ({"md5": ""}, "its columns are"),
        ({"p": "i::BIGINT"}, "p BIGINT"),
        ({"md5": "md5(i::VARCHAR)"}, "md5 VARCHAR"),
        ({"md5": "[unhex(md5(i::VARCHAR))]"}, "its columns are"),
        ({"category": "{'a': 1}"}, "its columns are"),
        ({"op": "0::UTINYINT"}, "op that the format"),
        ({"op": "4::UTINYINT"}, "op that the format"),
        ({"op": "NULL::UTINYINT"}, "op that the format"),
        ({"op": "2::UTINYINT"}, "reason that the format"),
        ({"reason": "'other'"}, "reason that the format"),
        ({"op": "2::UTINYINT", "reason": "'secret order'"}, "reason that the format"),
        ({"op": "2::UTINYINT", "reason": "'other'"}, "md5 that the format"),
        ({"op": "2::UTINYINT", "reason": "'other'", "md5": "NULL::BLOB", "category": "NULL::VARCHAR"}, "pdq_quality"),
        ({"p": "nullif(i, 3)::UBIGINT"}, "p that the format"),
        ({"s": "nullif(unhex(md5(i::VARCHAR)), NULL)"}, "100 rows have a s"),
        ({"s": "NULL::BLOB"}, "s that the format"),
        ({"md5": "CASE WHEN i = 7 THEN 'short'::BLOB ELSE unhex(md5(i::VARCHAR)) END"}, "1 rows have a md5"),
        ({"category": "'D'"}, "category that the format"),
        ({"category": "'a'"}, "category that the format"),
        ({"expires": "'infinity'::DATE"}, "expires that the format"),
        ({"expires": "DATE '1899-12-31'"}, "expires that the format"),
        ({"pdq_quality": "101::UTINYINT"}, "pdq_quality that the format"),
        ({"p": "(i // 2)::UBIGINT", "s": "unhex(repeat('00', 24))"}, "repeat a key"),
        ({"p": "(i % 50)::UBIGINT"}, "out of order"),
        ({"p": "0::UBIGINT"}, "out of order"),
        ({"category": "repeat('x', 200000)"}, "category takes"),
    ],
)
def test_it_rejects_wrong_content(tmp_path: Path, columns: dict[str, str], words: str) -> None:
    with pytest.raises(MalformedSegment, match=words):
        verify_segment(write(tmp_path / "x", **columns), fmt=FMT, kind="delta")  # type: ignore[arg-type]


def test_it_rejects_another_order_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "x"
    select = ", ".join(f"{text} AS {name}" for name, text in reversed(GOOD.items()))
    duckdb.connect().execute(f"COPY (SELECT {select} FROM range(9) r(i)) TO '{path}' ({OPTIONS})")
    with pytest.raises(MalformedSegment, match="its columns are"):
        verify_segment(path, fmt=FMT, kind="delta")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (OPTIONS.replace("zstd", "snappy"), "SNAPPY"),
        (OPTIONS.replace("zstd", "uncompressed"), "UNCOMPRESSED"),
        (OPTIONS.replace("131072", "2048"), "row groups"),
        (OPTIONS.replace("WRITE_BLOOM_FILTER false", "WRITE_BLOOM_FILTER true"), "Bloom"),
        ("FORMAT csv", "not a Parquet file"),
    ],
)
def test_it_rejects_other_encodings(tmp_path: Path, options: str, words: str) -> None:
    with pytest.raises(MalformedSegment, match=words):
        verify_segment(write(tmp_path / "x", rows=5000, options=options), fmt=FMT, kind="delta")


def test_it_rejects_more_rows_than_a_segment_may_have(tmp_path: Path) -> None:
    """Twenty million equal rows are a file of a few kilobytes."""
    path = tmp_path / "x"
    select = ", ".join(f"{text} AS {name}" for name, text in GOOD.items())
    duckdb.connect().execute(
        f"COPY (SELECT {select} FROM (SELECT 1 AS i FROM range(21000000))) TO '{path}'"
        " (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION zstd, ROW_GROUP_SIZE 2000000)"
    )
    with pytest.raises(MalformedSegment, match="21000000 rows"):
        verify_segment(path, fmt=FMT, kind="delta")


@pytest.mark.parametrize("kept", [0, 3, 8, 12, 400, -1, -8, -200])
def test_it_rejects_a_truncated_file(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path / "x")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(MalformedSegment):
        verify_segment(path, fmt=FMT, kind="delta")


def patched(path: Path, old: bytes, new: bytes) -> Path:
    """Replaces bytes of the footer by as many others."""
    data = path.read_bytes()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    assert len(old) == len(new)
    assert old in data[start:]
    path.write_bytes(data[:start] + data[start:].replace(old, new))
    return path


@pytest.mark.parametrize("claimed", [99, 101, 64, 127])
def test_it_rejects_a_footer_that_lies_about_its_rows(tmp_path: Path, claimed: int) -> None:
    """100 and the others are two-byte (64..127: zigzag varints) numbers in the footer's compact Thrift."""

    def number(value: int) -> bytes:
        doubled = 2 * value
        return b"\x16" + bytes([doubled & 0x7F | 0x80, doubled >> 7])

    path = patched(write(tmp_path / "x"), number(100), number(claimed))
    with pytest.raises(MalformedSegment):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_rejects_a_footer_that_lies_about_the_values_of_one_column(tmp_path: Path) -> None:
    """After the codec (zstd is 6, 12 as a zigzag number) stands how many values a column has, nulls included."""
    path = patched(write(tmp_path / "x"), b"\x15\x0c\x16\xc8\x01", b"\x15\x0c\x16\xc6\x01")
    with pytest.raises(MalformedSegment, match="100 rows and 99 values of op"):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_rejects_a_column_that_holds_lists(tmp_path: Path) -> None:
    """Said by the repetition alone (1 optional, 2 repeated), which stands before a column's name."""
    path = patched(write(tmp_path / "x"), b"\x25\x02\x18\x03md5", b"\x25\x04\x18\x03md5")
    with pytest.raises(MalformedSegment, match=r"md5 BLOB\[\]"):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_rejects_an_encrypted_file(tmp_path: Path) -> None:
    """Said at the footer's end by field 8, a union of structs; parts of such a file are read with a key only."""
    path = write(tmp_path / "x")
    data = path.read_bytes()
    length = int.from_bytes(data[-8:-4], "little") + 5
    path.write_bytes(data[:-9] + b"\x0c\x10\x1c\x00\x00\x00" + length.to_bytes(4, "little") + b"PAR1")
    with pytest.raises(MalformedSegment, match="it is encrypted"):
        verify_segment(path, fmt=FMT, kind="delta")


@pytest.mark.parametrize("claimed", [2**24 + 1, 2**32 - 1])
def test_it_reads_no_footer_of_many_megabytes(tmp_path: Path, claimed: int) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.write(b"PAR1")
        file.truncate(2**24 + 100)
        file.seek(0, 2)
        file.write(claimed.to_bytes(4, "little") + b"PAR1")
    with pytest.raises(MalformedSegment, match=f"says that its footer has {claimed} bytes"):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_rejects_a_footer_that_lies_about_the_keys(tmp_path: Path) -> None:
    """Queries skip row groups by these: a list could hide entries from them."""
    path = patched(
        write(tmp_path / "x", p="(i + 5000000000)::UBIGINT"),
        (5000000099).to_bytes(8, "little"),
        (5000000009).to_bytes(8, "little"),
    )
    with pytest.raises(MalformedSegment, match="wrong about the values of p"):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_sees_values_that_a_lying_footer_hides(tmp_path: Path) -> None:
    path = write(tmp_path / "x", category="CASE WHEN i = 3 THEN 'Q' ELSE 'A' END")
    patched(path, b"\x01Q", b"\x01A")
    with pytest.raises(MalformedSegment, match="category"):
        verify_segment(path, fmt=FMT, kind="delta")


def test_it_rejects_a_base_given_as_a_delta(tmp_path: Path) -> None:
    path, _ = delta(tmp_path, "delta-1-2", [upsert(1), withdraw(2)])
    with pytest.raises(MalformedSegment, match="its columns are op"):
        verify_segment(path, fmt=IMAGES, kind="base")


def test_it_survives_damage_anywhere(tmp_path: Path) -> None:
    """Whatever is flipped, the verifier refuses in words or reads a segment that is sound; it never falls over."""
    good, _ = delta(tmp_path, "good", [upsert(number) for number in range(40)])
    data = good.read_bytes()
    damage = random.Random(11)
    refused = 0
    for number in range(120):
        broken = bytearray(data)
        for _ in range(damage.randint(1, 3)):
            broken[damage.randrange(4, len(broken))] ^= 1 << damage.randrange(8)
        path = tmp_path / f"broken-{number}"
        path.write_bytes(broken)
        try:
            verify_segment(path, fmt=IMAGES, kind="delta", sha256=digest(1).hex())
        except MalformedSegment:
            refused += 1
    # About half of the bytes are hashes, where a flipped bit is another hash and nothing to refuse.
    assert 30 < refused < 120
