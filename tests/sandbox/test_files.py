"""The sandbox's files are the same everywhere, are what they say, and match the list exactly when they should."""

from __future__ import annotations

import csv
import hashlib
import io
import struct
import zipfile
import zlib

import pytest

from hashshare.sandbox.archive import sandbox_zip
from hashshare.sandbox.contents import NEVER, changes_to, first_release, listed, listed_from, withdrawn_at
from hashshare.sandbox.files import SIDE, harmless_file


def test_a_file_never_changes() -> None:
    """Members hold these digests: a change of the drawing would leave their files without a match."""
    assert [harmless_file(number).sha256[:16] for number in range(4)] == GOLDEN


GOLDEN = ["ce24e9742ef13ace", "161b3088e3bd2ea7", "c68bb0da201ffba2", "185506071f66c222"]


def test_no_two_are_the_same() -> None:
    numbers = [*range(2_000), *NEVER]
    assert len({harmless_file(number).sha256 for number in numbers}) == len(numbers)


@pytest.mark.parametrize("number", [0, 1, 2, 57, 200, NEVER[0]])
def test_a_picture_is_a_png_that_says_what_it_is(number: int) -> None:
    body = harmless_file(number).body
    if number % 4 == 3:
        assert b"Synthetic and harmless" in body
        return
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = {}, 8
    while place < len(body):
        (length,) = struct.unpack(">I", body[place : place + 4])
        kind, chunk = body[place + 4 : place + 8], body[place + 8 : place + 8 + length]
        assert struct.unpack(">I", body[place + 8 + length : place + 12 + length]) == (zlib.crc32(kind + chunk),)
        found[kind], place = chunk, place + 12 + length
    assert len(zlib.decompress(found[b"IDAT"])) == SIDE * (SIDE + 1)
    assert set(zlib.decompress(found[b"IDAT"])) == {0, 1}
    assert b"Synthetic and harmless" in found[b"tEXt"]


@pytest.mark.parametrize("version", [2, 3, 50, 400])
def test_changes_lead_from_one_version_to_the_next(version: int) -> None:
    held = {harmless_file(number).sha256 for number in listed(version - 1)}
    for row in csv.DictReader(io.StringIO(changes_to(version))):
        if row["op"] == "withdraw":
            held.remove(row["sha256"])
        else:
            assert row["sha256"] not in held
            held.add(row["sha256"])
    assert held == {harmless_file(number).sha256 for number in listed(version)}


def test_the_words_about_a_number_agree_with_the_list() -> None:
    for version in (1, 2, 3, 7, 90, 200):
        on = set(listed(version))
        for number in range(1_300):
            gone = withdrawn_at(number)
            assert (number in on) == (listed_from(number) <= version and (gone is None or version < gone)), number
    assert not set(NEVER) & set(listed(10_000))


def test_the_zip_holds_what_its_table_says() -> None:
    assert sandbox_zip() is sandbox_zip()
    with zipfile.ZipFile(io.BytesIO(sandbox_zip())) as archive:
        table = archive.read("hashshare-sandbox/expected.csv").decode()
        rows = list(csv.DictReader(io.StringIO(table)))
        for row in rows:
            body = archive.read(f"hashshare-sandbox/{row['file']}")
            assert hashlib.sha256(body).hexdigest() == row["sha256"]
            assert hashlib.md5(body).hexdigest() == row["md5"]
        assert len(archive.namelist()) == len(rows) + 2
    assert len(first_release().splitlines()) == 201
