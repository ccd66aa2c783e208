"""Notes, checkpoints and keys from others: signatures of strangers are passed over, anything malformed is refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, MalformedLog, WrongProof
from hashshare.wire.log import (
    EMPTY_ROOT,
    Checkpoint,
    Verifier,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    sign_note,
    verifier_key,
)
from hashshare.wire.log.checkpoints import read_number
from hashshare.wire.log.notes import MAX_NOTE, MAX_SIGNATURES

ORIGIN = "hub.example/log/aurora.example"
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (7, 8))
VERIFIER = Verifier(ORIGIN, keys.public_bytes(KEY))
ROOT = base64.b64encode(bytes(32)).decode()
TEXT = f"{ORIGIN}\n12\n{ROOT}\n"
NOTE = sign_note(TEXT, name=ORIGIN, key=KEY)
LINE = NOTE.splitlines()[-1]
MARK = "\u2014 "


def line_by(key: Ed25519PrivateKey, name: str = ORIGIN, text: str = TEXT) -> str:
    return sign_note(text, name=name, key=key).splitlines()[-1]


def with_key_hash(line: str, key_hash: bytes) -> str:
    """The same signature as if by another key of the same name."""
    name, encoded = line.removeprefix(MARK).split(" ")
    return f"{MARK}{name} {base64.b64encode(key_hash + base64.b64decode(encoded)[4:]).decode()}"


def noted(*lines: str, text: str = TEXT) -> str:
    return f"{text}\n" + "".join(f"{line}\n" for line in lines)


def test_it_opens() -> None:
    assert open_note(NOTE, VERIFIER) == TEXT
    assert open_checkpoint(NOTE, VERIFIER, origin=ORIGIN) == Checkpoint(ORIGIN, 12, bytes(32))


def test_text_may_hold_empty_lines() -> None:
    """What is signed ends before the last of them."""
    text = "one\n\ntwo\n\n\nthree\n"
    note = sign_note(text, name=ORIGIN, key=KEY)
    assert open_note(note, VERIFIER) == text


def test_signatures_of_strangers_are_passed_over() -> None:
    stranger = f"{MARK}witness.example {base64.b64encode(bytes(5_000)).decode()}"
    for lines in (
        (stranger, LINE),
        (LINE, stranger),
        (line_by(OTHER), LINE),
        (line_by(KEY, "other.example"), LINE),
        tuple([stranger] * 16 + [LINE]),
    ):
        assert open_note(noted(*lines), VERIFIER) == TEXT


def test_it_needs_the_signature_of_the_key_that_is_expected() -> None:
    """Same name and another key, same key and another name, same key and name for another text."""
    foreign = with_key_hash(line_by(OTHER), bytes(4))
    for lines in ((line_by(OTHER),), (foreign,), (line_by(KEY, "other.example"),)):
        with pytest.raises(BadSignature):
            open_note(noted(*lines), VERIFIER)
    with pytest.raises(BadSignature):
        open_note(noted(line_by(KEY, text="other\n")), VERIFIER)


def test_a_wrong_signature_under_the_keys_name_and_hash_is_refused_even_beside_a_right_one() -> None:
    forged = with_key_hash(line_by(OTHER), VERIFIER.key_hash)
    for lines in ((forged,), (forged, LINE), (LINE, forged)):
        with pytest.raises(BadSignature):
            open_note(noted(*lines), VERIFIER)


def test_a_right_signature_under_a_wrong_key_hash_is_refused() -> None:
    with pytest.raises(BadSignature):
        open_note(noted(with_key_hash(LINE, b"\0\0\0\1")), VERIFIER)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        f"{TEXT}\n",
        NOTE.removesuffix("\n"),
        NOTE + "\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("12", "1\x002"),
        NOTE.replace("12", "1\t2"),
        NOTE.replace("12", "1\ud8002"),
        noted(LINE.replace(MARK, "- ")),
        noted(LINE.replace(MARK, "\u2014")),
        noted(LINE, "and more"),
        noted(LINE.rstrip("=")),
        noted(LINE.replace("=", "!")),
        noted(LINE + " "),
        noted(LINE, f"{MARK}name"),
        noted(LINE, f"{MARK} AAAAAAA="),
        noted(LINE, f"{MARK}a+b AAAAAAA="),
        noted(LINE, f"{MARK}a\u00a0b AAAAAAA="),
        noted(LINE, f"{MARK}name AAAAAA=="),
        noted(LINE, f"{MARK}name AAAAAAB="),
        noted(LINE, f"{MARK}name AAAA\u0410AA="),
        noted(*[LINE] * (MAX_SIGNATURES + 1)),
        noted(LINE, text="x" * MAX_NOTE + "\n"),
        noted(LINE, text="\u20ac" * (MAX_NOTE // 3) + "\n"),
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(MalformedLog):
        open_note(note, VERIFIER)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_gets_through(text: str) -> None:
    with pytest.raises((MalformedLog, BadSignature)):
        open_note(text, VERIFIER)
    with pytest.raises((MalformedLog, BadSignature)):
        open_note(f"{TEXT}\n{MARK}{text}\n", VERIFIER)


@pytest.mark.parametrize("text", ["no newline", "", "control\x01\n", "tab\t\n", "half\ud800\n", "x" * MAX_NOTE + "\n"])
def test_it_signs_nothing_that_no_note_can_hold(text: str) -> None:
    with pytest.raises(MalformedLog):
        sign_note(text, name=ORIGIN, key=KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "x" * 401])
def test_names_that_no_key_can_have(name: str) -> None:
    with pytest.raises(MalformedLog):
        verifier_key(name, keys.public_bytes(KEY))
    with pytest.raises(MalformedLog):
        Checkpoint(name, 12, bytes(32))


def vkey(raw: bytes, *, name: str = ORIGIN, key_hash: str = "") -> str:
    return f"{name}+{key_hash or VERIFIER.key_hash.hex()}+{base64.b64encode(raw).decode()}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ORIGIN,
        f"{ORIGIN}+{VERIFIER.key_hash.hex()}",
        VERIFIER.to_text().replace(VERIFIER.key_hash.hex(), VERIFIER.key_hash.hex().upper() + "0"),
        VERIFIER.to_text() + "=",
        VERIFIER.to_text()[:-1],
        vkey(b"\x01" + VERIFIER.public, key_hash="00000000"),
        vkey(b"\x01" + VERIFIER.public, name="other.example"),
        vkey(b"\x04" + VERIFIER.public),
        vkey(VERIFIER.public),
        vkey(b"\x01" + VERIFIER.public[1:]),
        vkey(b"\x01" + bytes(32)),
        vkey(b""),
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        Verifier.parse(text)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(33), bytes(32), b"\x01" + bytes(31)])
def test_keys_that_prove_nothing(public: bytes) -> None:
    """Of another length, or of small order: under those one signature fits many texts."""
    with pytest.raises(MalformedLog):
        Verifier(ORIGIN, public)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n12\n{ROOT}",
        f"\n12\n{ROOT}\n",
        f"hub example\n12\n{ROOT}\n",
        f"{ORIGIN}\n012\n{ROOT}\n",
        f"{ORIGIN}\n00\n{ROOT}\n",
        f"{ORIGIN}\n-12\n{ROOT}\n",
        f"{ORIGIN}\n+12\n{ROOT}\n",
        f"{ORIGIN}\n12 \n{ROOT}\n",
        f"{ORIGIN}\n1_2\n{ROOT}\n",
        f"{ORIGIN}\n0x12\n{ROOT}\n",
        f"{ORIGIN}\n\u0661\n{ROOT}\n",
        f"{ORIGIN}\n4611686018427387905\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5_000}\n{ROOT}\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\n12\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n12\n{ROOT[:-2]}B=\n",
        f"{ORIGIN}\n12\n{ROOT} \n",
        f"{ORIGIN}\n12\nAAAA\n",
        f"{ORIGIN}\n12\n{ROOT}\n\n",
        f"{ORIGIN}\n12\n{ROOT}\nextension\n\nmore\n",
    ],
)
def test_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        Checkpoint.parse(text)
    if text.endswith("\n"):
        with pytest.raises(MalformedLog):
            open_checkpoint(sign_note(text, name=ORIGIN, key=KEY), VERIFIER, origin=ORIGIN)


@pytest.mark.parametrize(
    ("size", "root"), [(-1, bytes(32)), (2**62 + 1, bytes(32)), (12, bytes(31)), (12, bytes(33)), (0, bytes(32))]
)
def test_no_log_has_such_a_checkpoint(size: int, root: bytes) -> None:
    with pytest.raises(MalformedLog):
        Checkpoint(ORIGIN, size, root)
    Checkpoint(ORIGIN, 2**62, bytes(32))


def test_a_checkpoint_of_another_log_is_refused() -> None:
    """The same key signs all logs of a hub, so that the origin must be looked at."""
    theirs = f"hub.example/log/borealis.example\n12\n{ROOT}\n"
    with pytest.raises(WrongProof):
        open_checkpoint(sign_note(theirs, name=ORIGIN, key=KEY), VERIFIER, origin=ORIGIN)


@pytest.mark.parametrize("line", ["", "two\nlines"])
def test_an_extension_is_a_line(line: str) -> None:
    with pytest.raises(MalformedLog):
        Checkpoint(ORIGIN, 12, bytes(32), (line,))


def test_extensions_of_others_are_kept() -> None:
    checkpoint = Checkpoint.parse(f"{TEXT}one more\nand more\n")
    assert checkpoint.extensions == ("one more", "and more")
    assert checkpoint.to_text() == f"{TEXT}one more\nand more\n"


def test_the_empty_log_has_a_checkpoint() -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), key=KEY)
    assert open_checkpoint(note, VERIFIER, origin=ORIGIN).size == 0


@settings(deadline=None)
@given(st.integers(0, 2**62))
def test_numbers_are_read_as_they_are_written(number: int) -> None:
    assert read_number(str(number)) == number
