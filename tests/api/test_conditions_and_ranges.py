"""If-None-Match, If-Range and Range as RFC 9110 has them, and nothing more lenient."""

from __future__ import annotations

import pytest

from hashshare.api.conditional import ByteRange, RangeNotSatisfiableError, etag_of, matches, requested_range

ETAG = etag_of("ab" * 32)


def asked(header: str | None, *, length: int = 1000, if_range: str | None = None) -> ByteRange | None:
    return requested_range(header, if_range=if_range, etag=ETAG, length=length)


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=10-", 10, 999),
        ("bytes=-1", 999, 999),
        ("bytes=-5000", 0, 999),
        ("bytes=990-5000", 990, 999),
    ],
)
def test_it_serves_one_range(header: str, first: int, last: int) -> None:
    assert asked(header) == ByteRange(first, last)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "lines=0-1",
        "bytes=a-b",
        "bytes=\uff11-\uff12",
        "bytes=0-1 x",
    ],
)
def test_it_ignores_what_it_need_not_understand(header: str | None) -> None:
    assert asked(header) is None


@pytest.mark.parametrize(("header", "length"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-0", 0)])
def test_it_says_when_nothing_is_in_the_range(header: str, length: int) -> None:
    with pytest.raises(RangeNotSatisfiableError):
        asked(header, length=length)


def test_it_serves_the_whole_when_the_client_holds_a_part_of_something_else() -> None:
    assert asked("bytes=10-", if_range='"other"') is None
    assert asked("bytes=10-", if_range=ETAG) == ByteRange(10, 999)


@pytest.mark.parametrize("header", [ETAG, f"W/{ETAG}", f'"x", {ETAG}', "*"])
def test_it_knows_what_the_client_holds(header: str) -> None:
    assert matches(header, ETAG)


@pytest.mark.parametrize("header", [None, "", '"x"', ETAG.strip('"')])
def test_it_knows_what_the_client_lacks(header: str | None) -> None:
    assert not matches(header, ETAG)
