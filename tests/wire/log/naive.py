"""Merkle trees as RFC 6962 section 2.1 defines them, word for word and slowly; and a place for tiles in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from hashshare.wire.log import Tile, cut


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH(D[n])."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = below(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(entries) == 1:
        return []
    k = below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n])."""
    return subproof(m, entries, complete=True)


def subproof(m: int, entries: Sequence[bytes], *, complete: bool) -> list[bytes]:
    if m == len(entries):
        return [] if complete else [mth(entries)]
    k = below(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], complete=complete), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], complete=False), mth(entries[:k])]


def below(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def sample(count: int) -> list[bytes]:
    """Entries of several lengths, all different."""
    return [b"entry %d" % number + bytes(number % 7) for number in range(count)]


class Shelf:
    """Tiles in memory, the widest of each place, cut when read."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], Tile] = {}
        self.reads = 0

    def put(self, tiles: Iterable[Tile]) -> list[Tile]:
        kept = list(tiles)
        self.held.update({(tile.level, tile.index): tile for tile in kept})
        return kept

    def read(self, level: int, index: int, width: int) -> bytes:
        self.reads += 1
        return cut(level, self.held[level, index].body, width)
