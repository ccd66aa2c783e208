"""The rule of a witness: of any requests in any order, it never cosigns two checkpoints of which one does not begin
the other.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.errors import Conflict, HashshareError, LogForked, MalformedLog, WrongProof
from hashshare.wire.log import EMPTY_ROOT, AddCheckpoint, Checkpoint, check_step
from tests.vectors.cosignatures import ask
from tests.vectors.log import ORIGIN
from tests.wire.log.naive import mth, proof

HISTORIES = {
    "true": [b"entry %d" % number for number in range(40)],
    "early": [b"another", *(b"entry %d" % number for number in range(1, 40))],
    "late": [*(b"entry %d" % number for number in range(20)), *(b"other %d" % number for number in range(20))],
}
NOTHING = Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def checkpoint(name: str, size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, mth(HISTORIES[name][:size]))


def step(known: Checkpoint, name: str, old: int, size: int, shown: str = "") -> Checkpoint:
    """The witness asked to go to `size` of one history, with a proof taken from another."""
    entries = HISTORIES[shown or name][:size]
    hashes = proof(old, entries) if 0 < old < size else []
    offered = checkpoint(name, size)
    check_step(known, AddCheckpoint(old, tuple(hashes), ""), offered)
    return offered


requests = st.tuples(
    st.sampled_from(sorted(HISTORIES)), st.integers(0, 40), st.integers(0, 40), st.sampled_from(sorted(HISTORIES))
)


@settings(max_examples=200)
@given(st.lists(requests, max_size=30), st.booleans())
def test_it_never_cosigns_two_histories(asked: list[tuple[str, int, int, str]], guided: bool) -> None:
    """`guided`: the log knows which size the witness has, as a lying one would; else it guesses."""
    known, signed = NOTHING, [NOTHING]
    for name, old, size, shown in asked:
        try:
            known = step(known, name, known.size if guided else old, size, shown)
        except HashshareError:
            continue
        signed.append(known)
    for earlier, later in pairwise(signed):
        assert earlier.size <= later.size
        begins = [name for name in HISTORIES if checkpoint(name, later.size).root == later.root]
        assert any(checkpoint(name, earlier.size).root == earlier.root for name in begins)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_it_follows_a_log_that_grows_by_any_steps(sizes: list[int]) -> None:
    known = NOTHING
    for size in sorted(sizes):
        known = step(known, "true", known.size, size)
    assert known == checkpoint("true", max(sizes))


def test_it_refuses_by_name() -> None:
    known = checkpoint("true", 25)
    with pytest.raises(MalformedLog):
        step(known, "true", 25, 24)
    with pytest.raises(Conflict) as told:
        step(known, "true", 24, 30)
    assert told.value.facts["size"] == 25
    with pytest.raises(Conflict):
        step(NOTHING, "true", 5, 30)
    with pytest.raises(LogForked):
        step(known, "late", 25, 25)
    with pytest.raises(WrongProof):
        step(known, "late", 25, 30)
    with pytest.raises(WrongProof):
        check_step(known, AddCheckpoint(25, (bytes(32),) * 3, ""), checkpoint("true", 30))


def test_nothing_is_proved_where_nothing_has_to_be() -> None:
    with pytest.raises(WrongProof):
        check_step(NOTHING, AddCheckpoint(0, (bytes(32),), ""), checkpoint("true", 5))
    with pytest.raises(WrongProof):
        check_step(checkpoint("true", 5), AddCheckpoint(5, (bytes(32),), ""), checkpoint("true", 5))


def test_a_request_is_read_as_it_is_written() -> None:
    for old, size in ((0, 5), (3, 5), (5, 5), (1, 60)):
        assert AddCheckpoint.parse(ask(old, size).to_text().encode()) == ask(old, size)
