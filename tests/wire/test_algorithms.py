from __future__ import annotations

import base64
import hashlib

import pytest

from hashshare.wire.algorithms import WIDTHS, algorithm, guard_list, guarded, parse, render
from hashshare.wire.errors import BadHash, UnknownAlgorithm

from .lists import digest


@pytest.mark.parametrize("name", [*WIDTHS, "x-acme-64", "x-acme-video-9"])
def test_it_reads_what_it_renders(name: str) -> None:
    known = algorithm(name)
    value = digest(name, known.width)
    assert parse(render(value, known), known) == value
    assert parse(f" {value.hex().upper()}\t", known) == value


def test_it_reads_photodna_in_base64() -> None:
    photodna = algorithm("photodna")
    value = digest("photo", 144)
    assert parse(base64.b64encode(value).decode(), photodna) == value


@pytest.mark.parametrize("text", ["", "ab", "g" * 64, "0" * 63, "0" * 65, "0x" + "0" * 62, "é" * 64, "\uff10" * 64])
def test_it_rejects_what_is_no_hash(text: str) -> None:
    with pytest.raises(BadHash, match="sha256"):
        parse(text, algorithm("sha256"))


def test_it_rejects_base64_for_other_algorithms() -> None:
    with pytest.raises(BadHash):
        parse(base64.b64encode(digest(1)).decode(), algorithm("sha256"))


@pytest.mark.parametrize(
    "name",
    ["sha512", "SHA256", "", "x-acme", "x--64", "x-acme-8", "x-acme-064", "x-acme-1025", "x-" + "a" * 60 + "-64"],
)
def test_it_rejects_unknown_algorithms(name: str) -> None:
    with pytest.raises(UnknownAlgorithm):
        algorithm(name)


def test_it_guards_the_empty_file_and_blank_hashes() -> None:
    guard = guard_list()
    for name in ("md5", "sha1", "sha256"):
        assert hashlib.new(name, b"").digest() in guard[name]
    assert {bytes(32), b"\xff" * 32} <= guard["pdq"]
    assert guarded("x-acme-64") == {bytes(64), b"\xff" * 64}


def test_it_rejects_a_digest_of_the_wrong_width() -> None:
    with pytest.raises(BadHash):
        render(b"short", algorithm("md5"))
