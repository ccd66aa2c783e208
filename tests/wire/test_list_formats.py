"""What a list may declare about its rows."""

from __future__ import annotations

import pytest

from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import UsageError


def test_it_puts_columns_in_the_order_of_the_format() -> None:
    assert ListFormat(("sha256",), "uk-abc", ("media", "category")).columns == ("category", "media")


@pytest.mark.parametrize(
    ("algorithms", "scheme", "columns"),
    [
        ((), "uk-abc", ()),
        (("sha256", "sha256"), "uk-abc", ()),
        (("crc32",), "uk-abc", ()),
        (("sha256",), "abc", ()),
        (("sha256",), "uk-abc", ("colour",)),
        (("sha256",), "uk-abc", ("media", "media")),
        (("sha256",), "ucs", ("category",)),
    ],
)
def test_it_rejects_what_makes_no_sense(algorithms: tuple[str, ...], scheme: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        ListFormat(algorithms, scheme, columns)


def test_it_takes_a_scheme_of_labels_without_a_category() -> None:
    assert ListFormat(("sha256",), "ucs", ("media",)).header == ("sha256", "media")
