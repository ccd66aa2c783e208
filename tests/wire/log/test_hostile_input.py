"""Whatever arrives in place of a part of a log, it is read or refused by name: no other error, and no long work."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hashshare.wire import keys
from hashshare.wire.errors import (
    BadSignature,
    LogForked,
    MalformedAcknowledgement,
    MalformedLog,
    UnknownRequirement,
    VerificationFailed,
    WrongProof,
)
from hashshare.wire.log import (
    AddCheckpoint,
    Checkpoint,
    Cosigner,
    Receipt,
    Tree,
    Verifier,
    cosignatures,
    entry_of,
    node_hash,
    open_note,
    parse_tile_path,
    read_entries,
    read_row,
    verify_acknowledgement,
    verify_consistency,
    verify_inclusion,
)
from tests.vectors.cast import key
from tests.vectors.cosignatures import COSIGNER, ask, cosigned
from tests.vectors.log import MEMBER_KEY, VERIFIER, Grown, openings, statement

LOG = Grown([entry_of(opening) for opening in openings()])
PUBLIC = keys.public_bytes(key(MEMBER_KEY))

SAME = [bytes(32)]
while len(SAME) < 63:
    SAME.append(node_hash(SAME[-1], SAME[-1]))

READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "note": (LOG.note, lambda text: open_note(text, VERIFIER)),
    "checkpoint": (LOG.checkpoint.to_text(), Checkpoint.parse),
    "cosigned": (cosigned(), lambda text: cosignatures(text, [COSIGNER])),
    "cosigner": (COSIGNER.to_text(), Cosigner.parse),
    "ask": (ask().to_text(), lambda text: AddCheckpoint.parse(text.encode("utf-8", "surrogatepass"))),
    "verifier": (VERIFIER.to_text(), Verifier.parse),
    "receipt": (LOG.receipt(3).to_text(), Receipt.parse),
    "row": (openings()[0].row, read_row),
    "path": ("tile/0/x001/234.p/5", parse_tile_path),
    "acknowledgement": (
        statement().decode(),
        lambda text: verify_acknowledgement(text.encode("utf-8", "surrogatepass"), public_keys=[PUBLIC]),
    ),
}
REFUSALS = (MalformedLog, MalformedAcknowledgement, BadSignature, UnknownRequirement)


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=400))
@example("\ud800")
@example("\x00")
@example("9" * 5_000)
@example("[" * 4_000)
@example("\n" * 200_000)
@example("A" * 2_000_000)
def test_any_text(what: str, text: str) -> None:
    with pytest.raises(REFUSALS):
        READERS[what][1](text)


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_part_replaced_by_anything(what: str, data: st.DataObject) -> None:
    """It may still be right (a root is any 32 bytes), but nothing else than a refusal comes out of it if not."""
    text, read = READERS[what]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 20, len(text))))
    hurt = text[:start] + data.draw(st.text(st.characters(codec=None), max_size=20)) + text[end:]
    try:
        read(hurt)
    except VerificationFailed as refusal:
        assert isinstance(refusal, REFUSALS)


@pytest.mark.parametrize("name", ["payload", "payloadType", "signatures"])
@settings(deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
)
def test_any_json_in_an_acknowledgement(name: str, value: Any) -> None:
    document = {**json.loads(statement()), name: value}
    with pytest.raises(REFUSALS):
        verify_acknowledgement(json.dumps(document).encode(), public_keys=[PUBLIC])


@settings(deadline=None)
@given(st.binary(max_size=600))
def test_any_bundle(body: bytes) -> None:
    try:
        entries = read_entries(body)
    except MalformedLog:
        return
    assert b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries) == body


@settings(deadline=None)
@given(st.integers(-2, 2**63), st.integers(-2, 2**63), st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_any_proof(first: int, second: int, proof: list[bytes]) -> None:
    """No hash of 32 bytes leads to a root that was drawn from a hat, and no size takes long to refuse."""
    root, other = bytes([1]) * 32, bytes([2]) * 32
    with pytest.raises(WrongProof):
        verify_inclusion(root, index=first, size=second, proof=proof, root=other)
    with pytest.raises((WrongProof, LogForked)):
        verify_consistency(first, old_root=root, new_size=second, new_root=other, proof=proof)


@settings(deadline=None)
@given(st.integers(1, 2**62), st.integers(0, 2**62))
def test_proofs_from_a_tree_of_any_size_are_short(size: int, number: int) -> None:
    """All leaves are the same here, so that trees of all sizes stand ready: 2**62 leaves from a handful of tiles."""
    reads: list[tuple[int, int]] = []

    def read(level: int, index: int, width: int) -> bytes:
        reads.append((level, index))
        return SAME[8 * level] * width

    index, old = number % size, number % size + 1
    tree = Tree(size, read)
    proof = tree.inclusion_proof(index)
    verify_inclusion(SAME[0], index=index, size=size, proof=proof, root=tree.root())
    consistency = tree.consistency_proof(old)
    verify_consistency(old, old_root=Tree(old, read).root(), new_size=size, new_root=tree.root(), proof=consistency)
    assert max(len(proof), len(consistency)) <= 63
    assert len(set(reads)) <= 3 * 8
