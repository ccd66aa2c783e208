"""Growing, roots and proofs, against the definitions of RFC 6962 and known roots."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.errors import LogForked, MalformedLog, WrongProof
from hashshare.wire.log import (
    EMPTY_ROOT,
    ENTRIES,
    WIDTH,
    Frontier,
    TileReader,
    Tree,
    leaf_hash,
    node_hash,
    root_of,
    roots_at,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)
from tests.wire.log import naive
from tests.wire.log.naive import Shelf, sample

LARGEST = 600
ENTRIES_600 = sample(LARGEST)


def grown(entries: list[bytes]) -> tuple[Shelf, Frontier]:
    shelf = Shelf()
    frontier = Frontier(0, shelf.read)
    shelf.put(frontier.extend(entries))
    return shelf, frontier


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return grown(ENTRIES_600)[0]


@pytest.fixture(scope="module")
def roots() -> list[bytes]:
    """By the definition, at every size."""
    return [naive.mth(ENTRIES_600[:size]) for size in range(LARGEST + 1)]


def test_roots_of_its_beginnings_are_found_in_one_reading(roots: list[bytes]) -> None:
    hashes = [leaf_hash(entry) for entry in ENTRIES_600]
    assert roots_at(hashes, {0, 1, 255, 256, LARGEST, LARGEST + 1}) == {
        size: roots[size] for size in (0, 1, 255, 256, LARGEST)
    }
    assert roots_at([], {0, 1}) == {0: EMPTY_ROOT}


def test_every_root_is_the_one_of_the_definition(shelf: Shelf, roots: list[bytes]) -> None:
    for size, expected in enumerate(roots):
        assert Tree(size, shelf.read).root() == expected
        assert root_of(map(leaf_hash, ENTRIES_600[:size])) == expected
        assert Frontier(size, shelf.read).root() == expected


def test_growing_by_one_ends_as_growing_at_once(roots: list[bytes]) -> None:
    """Each time from what was stored, as after a restart."""
    by_one, at_once = Shelf(), grown(ENTRIES_600)[0]
    for size, entry in enumerate(ENTRIES_600):
        frontier = Frontier(size, by_one.read)
        by_one.put(frontier.extend([entry]))
        assert (frontier.size, frontier.root()) == (size + 1, roots[size + 1])
    assert by_one.held == at_once.held


def test_every_inclusion_is_proved(shelf: Shelf, roots: list[bytes]) -> None:
    for size in [*range(1, 20), 255, 256, 257, 511, 512, 513, 600]:
        tree = Tree(size, shelf.read)
        for index in range(size):
            proof = tree.inclusion_proof(index)
            if size < 20 or index % 51 == 0:
                assert proof == naive.path(index, ENTRIES_600[:size])
            verify_inclusion(leaf_hash(ENTRIES_600[index]), index=index, size=size, proof=proof, root=roots[size])


def test_every_consistency_is_proved(shelf: Shelf, roots: list[bytes]) -> None:
    for size in [*range(20), 255, 256, 257, 511, 512, 513, 600]:
        tree = Tree(size, shelf.read)
        for old in range(size + 1):
            proof = tree.consistency_proof(old)
            if old and (size < 20 or old % 51 == 0):
                assert proof == naive.proof(old, ENTRIES_600[:size])
            verify_consistency(old, old_root=roots[old], new_size=size, new_root=roots[size], proof=proof)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=8))
def test_growing_in_batches_ends_as_growing_at_once(batches: list[int]) -> None:
    entries, shelf, size = sample(sum(batches)), Shelf(), 0
    for batch in batches:
        frontier = Frontier(size, shelf.read)
        for tile in shelf.put(frontier.extend(entries[size : size + batch])):
            assert tile.width == WIDTH or tile.index == max(i for level, i in shelf.held if level == tile.level)
        size += batch
        assert frontier.root() == root_of(map(leaf_hash, entries[:size]))
    assert shelf.held == grown(entries)[0].held
    assert [(p.level, p.index, p.width) for p in tiles_of(size)] == sorted(
        (tile.level, tile.index, tile.width) for tile in shelf.held.values()
    )


def test_a_large_tree() -> None:
    """70,000 leaves have 273 full tiles and one of 112 at level 0, one full and one of 17 at level 1, one of 1 above:
    the example of C2SP tlog-tiles.
    """
    entries = sample(70_000)
    shelf, frontier = grown(entries)
    hashes = [leaf_hash(entry) for entry in entries]
    assert frontier.root() == root_of(hashes) == Tree(70_000, shelf.read).root()
    widths = {level: [t.width for k, t in sorted(shelf.held.items()) if k[0] == level] for level in range(-1, 4)}
    assert widths == {-1: [256] * 273 + [112], 0: [256] * 273 + [112], 1: [256, 17], 2: [1], 3: []}
    tree, dice = Tree(70_000, shelf.read), random.Random(4)
    for index in [0, 65_535, 65_536, 69_999, *dice.sample(range(70_000), 200)]:
        proof = tree.inclusion_proof(index)
        verify_inclusion(hashes[index], index=index, size=70_000, proof=proof, root=frontier.root())
    for old in [1, 2, 255, 256, 65_535, 65_536, 65_537, *dice.sample(range(70_000), 50)]:
        verify_consistency(
            old,
            old_root=root_of(hashes[:old]),
            new_size=70_000,
            new_root=frontier.root(),
            proof=tree.consistency_proof(old),
        )


def test_it_hands_out_only_tiles_that_changed() -> None:
    shelf, _ = grown(sample(256 * 3 + 5))
    changed = [(t.level, t.index, t.width) for t in Frontier(773, shelf.read).extend([b"one more"])]
    assert changed == [(ENTRIES, 3, 6), (0, 3, 6)]
    assert list(Frontier(773, shelf.read).extend([])) == []


def test_it_reads_no_more_than_the_edge_needs() -> None:
    shelf, _ = grown(sample(70_000))
    shelf.reads = 0
    list(Frontier(70_000, shelf.read).extend([b"one more"]))
    assert shelf.reads == 4  # three levels and the bundle
    shelf.reads = 0
    tree = Tree(70_000, shelf.read)
    for index in range(256, 512):
        tree.inclusion_proof(index)
    assert shelf.reads == 4  # the leaves' own tile, the right edge of two levels, the full tile above


def test_hashes_alone_give_the_same_tree() -> None:
    entries = sample(700)
    shelf = Shelf()
    frontier = Frontier(0, shelf.read)
    shelf.put(frontier.extend_hashes(map(leaf_hash, entries)))
    assert frontier.root() == root_of(map(leaf_hash, entries))
    assert all(level >= 0 for level, _ in shelf.held)


def test_it_refuses_tiles_of_the_wrong_width() -> None:
    for wrong in (b"", bytes(31), bytes(32 * 43), bytes(32 * 45)):
        with pytest.raises(MalformedLog):
            Frontier(300, always(wrong))
        with pytest.raises(MalformedLog):
            Tree(300, always(wrong)).root()


@pytest.mark.parametrize("size", [-1, 2**62 + 1, 2**100])
def test_it_refuses_impossible_sizes(size: int) -> None:
    with pytest.raises(WrongProof):
        Tree(size, Shelf().read)
    with pytest.raises(MalformedLog):
        Frontier(size, Shelf().read)


def test_it_says_what_it_cannot_know(shelf: Shelf) -> None:
    tree = Tree(300, shelf.read)
    for index in (-1, 300):
        with pytest.raises(WrongProof):
            tree.inclusion_proof(index)
    for size in (-1, 301):
        with pytest.raises(WrongProof):
            tree.consistency_proof(size)


def test_it_keeps_the_tiles_used_last() -> None:
    """64 of them: of 70 used in turn each is read again, but not the one above, which every proof uses."""
    shelf, _ = grown(sample(256 * 70))
    tree = Tree(256 * 70, shelf.read)
    for turn in range(1, 3):
        for tile in range(70):
            tree.inclusion_proof(tile * 256)
        assert shelf.reads == 70 * turn + 1


def test_a_flipped_bit_anywhere_in_a_proof_is_refused(shelf: Shelf, roots: list[bytes]) -> None:
    for size, index in ((1, 0), (2, 1), (7, 6), (256, 255), (257, 256), (600, 0), (600, 599), (600, 300)):
        proof = Tree(size, shelf.read).inclusion_proof(index)
        given_: dict[str, Any] = {"index": index, "size": size, "proof": proof, "root": roots[size]}
        for at in range(len(proof)):
            hurt = [*proof[:at], flipped(proof[at]), *proof[at + 1 :]]
            with pytest.raises(WrongProof):
                verify_inclusion(leaf_hash(ENTRIES_600[index]), **{**given_, "proof": hurt})
        for wrong in ({"root": flipped(roots[size])}, {"proof": [*proof, bytes(32)]}, {"index": size}, {"index": -1}):
            with pytest.raises(WrongProof):
                verify_inclusion(leaf_hash(ENTRIES_600[index]), **{**given_, **wrong})
        with pytest.raises(WrongProof):
            verify_inclusion(leaf_hash(b"another"), **given_)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, LARGEST), st.data())
def test_a_proof_fits_no_other_leaf(size: int, data: st.DataObject) -> None:
    tree = Tree(size, SHELF.read)
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    proof, root = tree.inclusion_proof(index), tree.root()
    if other != index:
        with pytest.raises(WrongProof):
            verify_inclusion(leaf_hash(ENTRIES_600[index]), index=other, size=size, proof=proof, root=root)


SHELF = grown(ENTRIES_600)[0]


def test_a_node_is_no_leaf(shelf: Shelf, roots: list[bytes]) -> None:
    """The proof of an inner node, which is as good a hash as any but belongs to no entry: it is too short."""
    tree = Tree(8, shelf.read)
    leaves = [leaf_hash(entry) for entry in ENTRIES_600[:2]]
    proof = tree.inclusion_proof(0)
    with pytest.raises(WrongProof, match="3 hashes, not 2"):
        verify_inclusion(node_hash(*leaves), index=0, size=8, proof=proof[1:], root=roots[8])


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (9, 8), (0, 0), (0, -1), (0, 2**62 + 1)])
def test_there_is_no_such_leaf(index: int, size: int) -> None:
    with pytest.raises(WrongProof, match="has no leaf"):
        verify_inclusion(bytes(32), index=index, size=size, proof=[], root=bytes(32))


@pytest.mark.parametrize(("old", "new"), [(-1, 8), (-8, -1), (1, 2**62 + 1), (2**62 + 1, 2**62 + 2)])
def test_no_log_has_such_a_size(old: int, new: int) -> None:
    with pytest.raises(WrongProof, match="not the size of a log"):
        verify_consistency(old, old_root=bytes(32), new_size=new, new_root=bytes(32), proof=[])


def test_a_log_that_shrank_or_forked_is_named(shelf: Shelf, roots: list[bytes]) -> None:
    for old, new in ((1, 2), (3, 7), (4, 7), (256, 600), (255, 256), (599, 600)):
        proof = Tree(new, shelf.read).consistency_proof(old)
        right: dict[str, Any] = {"old_root": roots[old], "new_size": new, "new_root": roots[new], "proof": proof}
        verify_consistency(old, **right)
        for wrong in ({"old_root": flipped(roots[old])}, {"new_root": flipped(roots[new])}):
            with pytest.raises(LogForked):
                verify_consistency(old, **{**right, **wrong})
        for at in range(len(proof)):
            with pytest.raises(LogForked):
                hurt = [*proof[:at], flipped(proof[at]), *proof[at + 1 :]]
                verify_consistency(old, **{**right, "proof": hurt})
        for wrong_length in (proof[1:], [*proof, bytes(32)]):
            with pytest.raises(WrongProof):
                verify_consistency(old, **{**right, "proof": wrong_length})
        with pytest.raises(LogForked):
            verify_consistency(new, old_root=roots[new], new_size=old, new_root=roots[old], proof=[])
    with pytest.raises(LogForked):
        verify_consistency(5, old_root=roots[5], new_size=5, new_root=roots[6], proof=[])


def test_the_empty_log(roots: list[bytes]) -> None:
    verify_consistency(0, old_root=EMPTY_ROOT, new_size=9, new_root=roots[9], proof=[])
    verify_consistency(0, old_root=EMPTY_ROOT, new_size=0, new_root=EMPTY_ROOT, proof=[])
    with pytest.raises(LogForked):
        verify_consistency(0, old_root=EMPTY_ROOT, new_size=0, new_root=roots[1], proof=[])
    with pytest.raises(LogForked):
        verify_consistency(0, old_root=roots[1], new_size=9, new_root=roots[9], proof=[])
    with pytest.raises(WrongProof):
        verify_consistency(0, old_root=EMPTY_ROOT, new_size=9, new_root=roots[9], proof=[bytes(32)])
    with pytest.raises(WrongProof):
        verify_inclusion(leaf_hash(b""), index=0, size=0, proof=[], root=EMPTY_ROOT)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_it_refuses_hashes_of_other_lengths(wrong: bytes) -> None:
    with pytest.raises(WrongProof):
        verify_inclusion(wrong, index=0, size=1, proof=[], root=wrong)
    with pytest.raises(WrongProof):
        verify_consistency(1, old_root=bytes(32), new_size=2, new_root=bytes(32), proof=[wrong])


def flipped(hashed: bytes) -> bytes:
    return bytes([hashed[0] ^ 1]) + hashed[1:]


def always(body: bytes) -> TileReader:
    return lambda level, index, width: body
