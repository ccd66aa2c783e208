"""Fingerprints as people read them out: what was misheard is found, and in which line."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.errors import UsageError
from hashshare.wire.fingerprints import parse_fingerprint, spoken, spoken_lines

FINGERPRINT = hashlib.sha256(b"a harmless text").hexdigest()
LINES = spoken_lines(FINGERPRINT)
anything = st.binary(min_size=32, max_size=32).map(bytes.hex)


def test_it_is_four_lines_of_four_groups_and_a_check() -> None:
    assert len(LINES) == 4
    for line in LINES:
        *groups, check = line.split()
        assert [len(group) for group in groups] == [4] * 4
        assert len(check) == 2 and check.isdecimal()


def test_the_check_is_that_of_the_standard() -> None:
    """ISO/IEC 7064 MOD 97-10: the whole leaves 1 when divided by 97. One example is worked out by hand."""
    for number, line in enumerate(LINES, start=1):
        digits, check = line.replace(" ", "")[:16], line.split()[-1]
        assert (int(f"{number:x}{digits}", 16) * 100 + int(check)) % 97 == 1
    assert spoken_lines("0" * 64)[0] == "0000 0000 0000 0000  12"  # 16 ** 16 leaves 61, 6100 leaves 86, 98 - 86


@given(anything)
def test_it_is_read_in_every_form(fingerprint: str) -> None:
    lines = spoken_lines(fingerprint)
    forms = [fingerprint, fingerprint.upper(), spoken(fingerprint), "\n".join(lines), "-".join(lines).replace(" ", "")]
    forms += [f"SHA256:{form}" for form in forms] + [f" sha-256: {fingerprint[:32]} {fingerprint[32:]}"]
    assert {parse_fingerprint(form) for form in forms} == {fingerprint}


@given(anything, st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_one_wrong_digit_is_found_in_its_line(fingerprint: str, place: int, digit: str) -> None:
    lines = list(spoken_lines(fingerprint))
    number, within = divmod(place, 16)
    heard = lines[number].replace(" ", "")
    if heard[within] == digit:
        return
    lines[number] = heard[:within] + digit + heard[within + 1 :]
    with pytest.raises(UsageError, match=f"Line {number + 1} ") as error:
        parse_fingerprint(" ".join(lines))
    assert f"line {number + 1}" in error.value.next_step


@given(anything, st.integers(0, 3), st.integers(0, 14))
def test_two_neighbours_exchanged_are_found(fingerprint: str, number: int, place: int) -> None:
    lines = [line.replace(" ", "") for line in spoken_lines(fingerprint)]
    line = lines[number]
    if line[place] == line[place + 1]:
        return
    lines[number] = line[:place] + line[place + 1] + line[place] + line[place + 2 :]
    with pytest.raises(UsageError, match=f"Line {number + 1} "):
        parse_fingerprint("".join(lines))


def test_lines_in_the_wrong_order_are_found() -> None:
    with pytest.raises(UsageError, match="Line 1 "):
        parse_fingerprint(" ".join([LINES[1], LINES[0], *LINES[2:]]))


WRONG = ["", "abc", FINGERPRINT[:-1], FINGERPRINT + "0", " ".join(LINES[:3]), "g" * 64, "\N{FULLWIDTH DIGIT ONE}" * 72]


@pytest.mark.parametrize("text", WRONG)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        parse_fingerprint(text)


@given(st.text(max_size=100))
@settings(max_examples=50)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert len(parse_fingerprint(text)) == 64
