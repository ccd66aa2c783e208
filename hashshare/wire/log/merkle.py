"""Merkle trees of RFC 6962 section 2 (RFC 9162 section 2.1 is the same with better words): hashes and proofs as bytes.

A hash is 32 bytes (SHA-256). A size counts leaves, an index counts from 0. Where hashes are kept is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from hashshare.wire.errors import LogForked, WrongProof

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
MAX_SIZE: Final = 2**62
"""No log that can be real holds more leaves; what claims to is refused before anything is counted."""

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over all of them, in memory that grows with the logarithm of their number."""
    peaks: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        _add(peaks, leaf)
    return root_of_peaks([hashed for _, hashed in peaks])


def roots_at(leaf_hashes: Iterable[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """The root over the first `size` of them, for each of `sizes`; one that is beyond their number has none."""
    peaks: list[tuple[int, bytes]] = []
    roots = {0: EMPTY_ROOT} if 0 in sizes else {}
    for count, leaf in enumerate(leaf_hashes, start=1):
        _add(peaks, leaf)
        if count in sizes:
            roots[count] = root_of_peaks([hashed for _, hashed in peaks])
    return roots


def _add(peaks: list[tuple[int, bytes]], leaf: bytes) -> None:
    """One leaf more; `peaks` are the perfect subtrees so far, each with its height, the largest first."""
    height, hashed = 0, leaf
    while peaks and peaks[-1][0] == height:
        hashed = node_hash(peaks.pop()[1], hashed)
        height += 1
    peaks.append((height, hashed))


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, the largest first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """That `leaf` (its hash) is number `index` of the tree of `size` leaves under `root`; raises WrongProof.

    `proof` begins with the leaf's sibling (RFC 9162 section 2.1.3.2).
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise WrongProof(f"A tree of {size} leaves has no leaf {index}.")
    _check_hashes([leaf, root, *proof])
    inner, border = _inclusion_lengths(index, size)
    if len(proof) != inner + border:
        raise WrongProof(f"A proof of leaf {index} of {size} has {inner + border} hashes, not {len(proof)}.")
    hashed = _climb(leaf, proof[:inner], index)
    for left in proof[inner:]:
        hashed = node_hash(left, hashed)
    if hashed != root:
        raise WrongProof(f"The proof of leaf {index} does not lead to the root of the log at size {size}.")


def verify_consistency(
    old_size: int, *, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """That the tree of `new_size` leaves begins with the one of `old_size` (RFC 9162 section 2.1.4.2).

    Raises LogForked when the log shrank, or when a proof of the right shape does not lead from the old root to the new
    one; WrongProof when it has another number of hashes than such a proof has. The empty tree begins every tree.
    """
    if not 0 <= old_size <= MAX_SIZE or not 0 <= new_size <= MAX_SIZE:
        raise WrongProof("That is not the size of a log.")
    _check_hashes([old_root, new_root, *proof])
    if new_size < old_size:
        raise LogForked(f"The log held {old_size} leaves and now says {new_size}.", old=old_size, new=new_size)
    if (old_size == 0 and old_root != EMPTY_ROOT) or (old_size == new_size and old_root != new_root):
        raise LogForked(f"Two logs of {old_size} leaves differ.", old=old_size, new=new_size)
    if old_size in (0, new_size):
        if proof:
            raise WrongProof("Nothing needs to be proved there, yet a proof is given.")
        return
    if _roots(old_size, old_root, new_size, proof) != (old_root, new_root):
        raise LogForked(
            f"The log at {new_size} leaves is not shown to extend the log at {old_size}.", old=old_size, new=new_size
        )


def _roots(old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root that the proof leads to."""
    height = (old_size & -old_size).bit_length() - 1
    known = old_size == 1 << height
    index, size = (old_size - 1) >> height, ((new_size - 1) >> height) + 1
    inner, border = _inclusion_lengths(index, size)
    if len(proof) != inner + border + (not known):
        raise WrongProof(f"A proof from {old_size} to {new_size} leaves does not have {len(proof)} hashes.")
    seed, path = (old_root, proof) if known else (proof[0], proof[1:])
    old = new = seed
    for level, sibling in enumerate(path):
        if level >= inner or index >> level & 1:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    return old, new


def _inclusion_lengths(index: int, size: int) -> tuple[int, int]:
    """How many hashes of an inclusion proof lie below the leaf's joint with the right edge, and how many above."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _climb(hashed: bytes, siblings: Sequence[bytes], index: int) -> bytes:
    for level, sibling in enumerate(siblings):
        hashed = node_hash(sibling, hashed) if index >> level & 1 else node_hash(hashed, sibling)
    return hashed


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(hashed) != HASH_BYTES for hashed in hashes):
        raise WrongProof(f"A hash of the log has {HASH_BYTES} bytes.")
