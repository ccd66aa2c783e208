"""A log openly superseded: the statement, and what its reader makes of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from hashshare.client.successions import check_crossing, follow, is_successor, read_statements
from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, LogForked, MalformedLog, VerificationFailed, WrongProof
from hashshare.wire.log import Checkpoint, Verifier
from hashshare.wire.log.successions import (
    Succession,
    first_origin,
    next_origin,
    number_of,
    open_succession,
    sign_succession,
)
from tests.wire.log.naive import mth, proof

NORTH = "north.example/log/aurora.example"
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = keys.generate()
PUBLIC = keys.public_bytes(KEY)


def entries(count: int, *, salt: str = "") -> list[bytes]:
    return [hashlib.sha256(f"{salt}{number}".encode()).digest() for number in range(count)]


def root(leaves: list[bytes]) -> bytes:
    return mth(leaves)


def statement(size: int, *, origin: str = NORTH, leaves: list[bytes] | None = None) -> str:
    held = entries(size) if leaves is None else leaves
    return sign_succession(Succession(origin, size, root(held), next_origin(origin), AT), key=KEY)


def known(size: int) -> Checkpoint:
    return Checkpoint(NORTH, size, root(entries(size)))


def test_names_are_counted() -> None:
    assert [next_origin(NORTH), next_origin(f"{NORTH}/2")] == [f"{NORTH}/2", f"{NORTH}/3"]
    assert [number_of(NORTH), number_of(f"{NORTH}/12")] == [1, 12]
    assert first_origin(f"{NORTH}/12") == NORTH
    for odd in (f"{NORTH}/1", f"{NORTH}/02", f"{NORTH}/x", "north.example", f"{NORTH}/2/3", f"{NORTH} "):
        with pytest.raises(MalformedLog):
            number_of(odd)


def test_only_a_later_name_of_the_same_log_is_a_successor() -> None:
    assert is_successor(f"{NORTH}/2", NORTH)
    assert is_successor(f"{NORTH}/3", NORTH)
    for other in (NORTH, "south.example/log/aurora.example/2", "north.example/log/borealis.example/2", "odd"):
        assert not is_successor(other, NORTH)
    assert not is_successor(NORTH, f"{NORTH}/2")


def test_the_statement_is_the_hub_s_alone() -> None:
    note = statement(5)
    assert open_succession(note, Verifier(NORTH, PUBLIC)).size == 5
    with pytest.raises(BadSignature):
        open_succession(note, Verifier(NORTH, keys.public_bytes(keys.generate())))
    with pytest.raises(BadSignature):
        open_succession(note.replace("\n5\n", "\n4\n"), Verifier(NORTH, PUBLIC))
    with pytest.raises(VerificationFailed):
        open_succession(note, Verifier(f"{NORTH}/2", PUBLIC))
    for text in ("", "hashshare-log-succession/1\n", Checkpoint(NORTH, 5, root(entries(5))).to_text()):
        with pytest.raises(MalformedLog):
            Succession.parse(text)


def test_nothing_is_lost_of_what_is_still_there() -> None:
    crossing, seen = follow(known(4), PUBLIC, f"{NORTH}/2", [statement(6)])
    assert (crossing.kept, crossing.lost) == (4, 0)
    assert seen == known(4)


def test_it_says_how_much_of_what_was_seen_is_gone() -> None:
    crossing, seen = follow(known(9), PUBLIC, f"{NORTH}/2", [statement(6)])
    assert (crossing.kept, crossing.lost) == (6, 3)
    assert (seen.size, seen.root) == (6, root(entries(6)))


def test_two_restores_are_followed_one_after_the_other() -> None:
    second = [*entries(3), *entries(9, salt="later")]
    notes = [statement(6), statement(3, origin=f"{NORTH}/2", leaves=second[:3])]
    crossing, seen = follow(known(5), PUBLIC, f"{NORTH}/3", notes)
    assert (crossing.kept, crossing.lost, seen.size) == (3, 2, 3)


def test_without_a_statement_it_is_no_successor() -> None:
    for notes in ([], [statement(6, origin="north.example/log/borealis.example")]):
        with pytest.raises(WrongProof, match="does not say what became"):
            follow(known(4), PUBLIC, f"{NORTH}/2", notes)


def test_a_statement_that_contradicts_what_was_seen_is_a_fork() -> None:
    with pytest.raises(LogForked):
        follow(known(6), PUBLIC, f"{NORTH}/2", [statement(6, leaves=entries(6, salt="other"))])


def test_the_successor_must_begin_with_what_was_kept() -> None:
    grown = entries(12)
    check_crossing(known(4), Checkpoint(f"{NORTH}/2", 12, root(grown)), lambda old, new: proof(old, grown))
    with pytest.raises(LogForked):
        check_crossing(known(4), Checkpoint(f"{NORTH}/2", 3, root(entries(3))), lambda old, new: ())
    forged = entries(12, salt="other")
    with pytest.raises(VerificationFailed):
        check_crossing(known(4), Checkpoint(f"{NORTH}/2", 12, root(forged)), lambda old, new: proof(old, forged))


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"successions": "x"}, {"successions": [1]}, {"successions": ["x"] * 101}]
)
def test_it_reads_no_other_answer(answer: object) -> None:
    with pytest.raises(MalformedLog):
        read_statements(answer)
