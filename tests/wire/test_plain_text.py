"""What others wrote, before people read it: names that cannot be told from others, text that steers a terminal."""

from __future__ import annotations

import json

import pytest

from hashshare.wire.documents import Fields
from hashshare.wire.errors import MalformedOffers, UsageError
from hashshare.wire.plain_text import check_name, escaped, in_a_line, printable, read_name, unfit_for_a_name

SHOWN = "\N{REPLACEMENT CHARACTER}"
ODD = [*"\x00\x1b\x7f\x80\x9b\x9f\xad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066"]
ODD += [*"\u2067\u2068\u2069\u3164\ufe0f\ufeff\ufff9\U000e0041\U000e0100\ud800"]
GOOD = [
    "Cobalt",
    "Müller & Söhne",
    "Ελλάς",
    "日本ユニセフ協会",
    "شركة",
    "עמותה",
    "संस्था",
    "L'Œuvre (2)",
    "a\u0301",
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"U+{ord(odd):04X}")
def test_what_is_not_seen_or_steers_stands_in_no_name_and_on_no_terminal(odd: str) -> None:
    name = f"Cob{odd}alt"
    assert unfit_for_a_name(name).endswith(f"(U+{ord(odd):04X})")
    with pytest.raises(UsageError, match=r"The name has a character that is not seen.*U\+"):
        check_name(name, what="The name")
    with pytest.raises(MalformedOffers, match=r"offers: name has a character that is not seen.*U\+"):
        read_name(Fields({"name": name}, where="offers", error=MalformedOffers), "name")
    assert printable(name) == in_a_line(name) == f"Cob{SHOWN}alt"
    document = escaped(json.dumps({"name": name}, ensure_ascii=False))
    assert odd not in document
    assert json.loads(document) == {"name": name}


@pytest.mark.parametrize("name", GOOD)
def test_names_of_every_script_stay_as_they_are(name: str) -> None:
    check_name(name, what="The name")
    assert read_name(Fields({"name": name}, where="offers", error=MalformedOffers), "name") == name
    assert printable(name) == in_a_line(name) == name


def test_line_breaks_stay_in_text_and_make_no_second_line_of_a_name() -> None:
    for end in "\t\n\u2028\u2029":
        assert unfit_for_a_name(f"Cobalt{end}active")
        assert in_a_line(f"Cobalt{end}active") == f"Cobalt{SHOWN}active"
    assert printable("one\n\ttwo") == "one\n\ttwo"
    assert escaped('{\n  "a": 1\n}\n') == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize(("least", "text"), [(1, ""), (0, "x" * 201), (0, 7)])
def test_names_have_bounds(least: int, text: object) -> None:
    with pytest.raises(MalformedOffers):
        read_name(Fields({"name": text}, where="offers", error=MalformedOffers), "name", least=least)
