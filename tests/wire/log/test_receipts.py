"""From an event to a receipt that its holder checks offline; every part of it tampered with is refused by name."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, HashshareError, MalformedLog, WrongOpening, WrongProof
from hashshare.wire.log import (
    Checkpoint,
    DeliveryRow,
    Frontier,
    Opening,
    PaddingRow,
    Receipt,
    Tree,
    Verifier,
    check_opening,
    entry_of,
    new_opening,
    padding_nonce,
    padding_secret,
    read_row,
    sign_checkpoint,
)
from tests.wire.log.naive import Shelf

ORIGIN = "hub.example/log/aurora.example"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
VERIFIER = Verifier(ORIGIN, keys.public_bytes(KEY))


def delivery(organisation: str = "cobalt", **changes: int) -> DeliveryRow:
    return DeliveryRow(
        organisation=organisation,
        list_name="aurora.example/images",
        list_id="3f9c0a51d2e4b786",
        version=6,
        acknowledged=None,
        manifest_sha256="a1" * 32,
        bytes=2_048,
        at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        key="SHA256:x",
    )


def logged(openings: list[Opening], *, origin: str = ORIGIN) -> tuple[Tree, str]:
    """The tree of their entries and its signed checkpoint."""
    shelf = Shelf()
    frontier = Frontier(0, shelf.read)
    shelf.put(frontier.extend(map(entry_of, openings)))
    note = sign_checkpoint(Checkpoint(origin, frontier.size, frontier.root()), key=KEY)
    return Tree(frontier.size, shelf.read), note


def receipt(index: int = 3, count: int = 9, *, origin: str = ORIGIN) -> tuple[Opening, Receipt]:
    openings = [new_opening(delivery(f"member-{number}").to_row()) for number in range(count)]
    tree, note = logged(openings, origin=origin)
    return openings[index], Receipt(index, tuple(tree.inclusion_proof(index)), note)


def test_it_is_verified_offline() -> None:
    opening, made = receipt()
    read = Receipt.parse(made.to_text())
    assert read == made
    assert read.verify(entry_of(opening), VERIFIER, origin=ORIGIN).size == 9
    row = read_row(opening.row)
    assert isinstance(row, DeliveryRow)
    assert row == delivery("member-3")


def test_entries_do_not_tell_what_they_stand_for() -> None:
    rows = (delivery().to_row(), PaddingRow(3).to_row())
    entries = [entry_of(new_opening(row)) for row in rows for _ in range(2)]
    assert {len(entry) for entry in entries} == {53}
    assert len(set(entries)) == 4, "the same row twice gives two entries"


def test_another_row_or_nonce_is_refused() -> None:
    opening, made = receipt()
    others = (
        Opening(opening.nonce, delivery("member-4").to_row()),
        Opening(bytes([opening.nonce[0] ^ 1]) + opening.nonce[1:], opening.row),
    )
    for other in others:
        with pytest.raises(WrongOpening):
            check_opening(other, entry=entry_of(opening))
        with pytest.raises(WrongProof):
            made.verify(entry_of(other), VERIFIER, origin=ORIGIN)
    check_opening(opening, entry=entry_of(opening))


def test_every_flipped_bit_of_a_receipt_is_refused() -> None:
    """Whatever is changed, the receipt is refused, by one of the three names."""
    opening, made = receipt()
    text = made.to_text()
    entry = entry_of(opening)
    for at in range(len(text)):
        for bit in (1, 2, 16):
            hurt = text[:at] + chr(ord(text[at]) ^ bit) + text[at + 1 :]
            with pytest.raises((MalformedLog, BadSignature, WrongProof)):
                Receipt.parse(hurt).verify(entry, VERIFIER, origin=ORIGIN)


def test_a_receipt_of_another_log_is_refused() -> None:
    opening, made = receipt(origin="hub.example/log/borealis.example")
    theirs = Verifier("hub.example/log/borealis.example", VERIFIER.public)
    with pytest.raises(BadSignature):
        made.verify(entry_of(opening), VERIFIER, origin=ORIGIN)
    with pytest.raises(WrongProof):
        made.verify(entry_of(opening), theirs, origin=ORIGIN)


def test_extra_data_is_carried_and_not_believed() -> None:
    opening, made = receipt()
    with_extra = Receipt(made.index, made.proof, made.checkpoint_note, b"anything")
    read = Receipt.parse(with_extra.to_text())
    assert read.extra == b"anything"
    read.verify(entry_of(opening), VERIFIER, origin=ORIGIN)


def test_a_log_of_one_leaf_has_an_empty_proof() -> None:
    opening, made = receipt(0, 1)
    assert made.proof == ()
    Receipt.parse(made.to_text()).verify(entry_of(opening), VERIFIER, origin=ORIGIN)


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex +1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1 \n\nx",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999999\n\nx",
        "c2sp.org/tlog-proof@v1\nindex \u0661\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\nextra AB==\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
        f"c2sp.org/tlog-proof@v1\nindex 1\n{HASH[:-2]}B=\n\nx",
        f"c2sp.org/tlog-proof@v1\nindex 1\n {HASH}\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + f"{HASH}\n" * 64 + "\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + f"{HASH}\n" * 100_000 + "\nx",
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        Receipt.parse(text)


def test_receipts_have_their_bounds() -> None:
    _, made = receipt()
    for wrong in (
        {"index": -1},
        {"index": 2**62},
        {"proof": (b"x",)},
        {"proof": (bytes(32),) * 64},
        {"extra": bytes(16 * 1024 + 1)},
    ):
        with pytest.raises(MalformedLog):
            replace(made, **wrong)
    assert Receipt.parse(replace(made, extra=bytes(16 * 1024)).to_text()).extra == bytes(16 * 1024)
    with pytest.raises(MalformedLog, match="at most 163840 characters"):
        Receipt.parse(made.to_text() + "x" * 200_000)


def test_padding_needs_no_table() -> None:
    secret = padding_secret(KEY)
    assert len(secret) == 32
    nonces = [padding_nonce(secret, origin=origin, index=i) for origin in (ORIGIN, "other") for i in range(3)]
    assert len(set(nonces)) == 6
    assert padding_nonce(padding_secret(KEY), origin=ORIGIN, index=0) == nonces[0]
    assert secret != padding_secret(Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32))


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)])
def test_openings_have_their_bounds(nonce: bytes) -> None:
    with pytest.raises(MalformedLog):
        Opening(nonce, "{}")
    Opening(bytes(32), "x" * 4_096)
    with pytest.raises(MalformedLog):
        Opening(bytes(32), "x" * 4_097)
    with pytest.raises(HashshareError):
        Opening(bytes(32), "\ud800")
