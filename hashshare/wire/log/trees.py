"""A tree read from its tiles: its root, and proofs from it. What a tile holds is believed; the root tells."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from hashshare.wire.errors import WrongProof
from hashshare.wire.log.merkle import EMPTY_ROOT, MAX_SIZE, node_hash
from hashshare.wire.log.tiles import HEIGHT, WIDTH, TileReader, hashes_in, width_at

KEPT_TILES: Final = 64


class Tree:
    """The tree of `size` leaves behind `read`, with the tiles used last kept worked out: some 40 KiB each."""

    def __init__(self, size: int, read: TileReader) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise WrongProof("That is not the size of a log.")
        self.size = size
        self._read = read
        self._kept: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def root(self) -> bytes:
        return self._range(0, self.size) if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """From the leaf's sibling up (RFC 6962 section 2.1.1); raises WrongProof for a leaf that is not there."""
        if not 0 <= index < self.size:
            raise WrongProof(f"A tree of {self.size} leaves has no leaf {index}.")
        proof, low, high = [], 0, self.size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low = middle
        return proof[::-1]

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """That the tree of `old_size` leaves begins this one (RFC 6962 section 2.1.2); raises WrongProof if longer."""
        if not 0 <= old_size <= self.size:
            raise WrongProof(f"A log of {self.size} leaves cannot extend one of {old_size}.")
        if old_size in (0, self.size):
            return []
        proof, low, high, whole = [], 0, self.size, True
        while old_size != high:
            middle = low + _split(high - low)
            if old_size <= middle:
                proof.append(self._range(middle, high))
                high = middle
            else:
                proof.append(self._range(low, middle))
                low, whole = middle, False
        if not whole:
            proof.append(self._range(low, high))
        return proof[::-1]

    def _range(self, low: int, high: int) -> bytes:
        """The hash over leaves `low` to `high`; `low` is a multiple of the power of two that holds the rest."""
        count = high - low
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            return self._perfect(height, low >> height)
        middle = low + _split(count)
        return node_hash(self._range(low, middle), self._range(middle, high))

    def _perfect(self, height: int, position: int) -> bytes:
        """The root of the subtree of 2**height leaves, the `position`-th of that height."""
        level, within = divmod(height, HEIGHT)
        per_tile = WIDTH >> within
        index = position // per_tile
        return self._pyramid(level, index)[within][position % per_tile]

    def _pyramid(self, level: int, index: int) -> list[list[bytes]]:
        """A tile's hashes, and above them, height by height, those of the perfect subtrees within it."""
        key = (level, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        width = width_at(self.size, level, index)
        rows = [hashes_in(self._read(level, index, width), width=width)]
        while len(rows[-1]) > 1:
            below = rows[-1]
            rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
        self._kept[key] = rows
        if len(self._kept) > KEPT_TILES:
            self._kept.popitem(last=False)
        return rows


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
