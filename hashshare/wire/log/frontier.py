"""Growing a tree: entries go in, the tiles that changed come out. Holds one tile a level, whatever the tree's size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, leaf_hash, root_of
from hashshare.wire.log.tiles import (
    ENTRIES,
    HEIGHT,
    MAX_ENTRY,
    WIDTH,
    Tile,
    TileReader,
    entries_bundle,
    hashes_in,
    read_entries,
    width_at,
)


class Frontier:
    """The right edge of a tree of `size` leaves, read once from its partial tiles through `read`.

    `extend` and `extend_hashes` are generators: the tree has grown, and every changed tile was handed out, only when
    they are exhausted. `size` and `root()` then say what to sign.
    """

    def __init__(self, size: int, read: TileReader) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise MalformedLog("That is not the size of a log.")
        self.size = size
        self._read = read
        self._rows: list[list[bytes]] = []
        self._changed: set[int] = set()
        level = 0
        while size >> (HEIGHT * level):
            self._rows.append(self._partial(level))
            level += 1

    def root(self) -> bytes:
        """Of all leaves so far."""
        rest: list[bytes] = []
        for row in self._rows:
            held = [*row, *rest]
            rest = [root_of(held)] if held else []
        return rest[0] if rest else EMPTY_ROOT

    def extend(self, entries: Iterable[bytes]) -> Iterator[Tile]:
        """Each tile and bundle as soon as it is full, at the end the partial ones that changed."""
        index, width = divmod(self.size, WIDTH)
        bundle = read_entries(self._read(ENTRIES, index, width), width=width) if width else []
        grown = False
        for entry in entries:
            if len(entry) > MAX_ENTRY:
                raise MalformedLog(f"An entry has at most {MAX_ENTRY} bytes.")
            grown = True
            bundle.append(entry)
            if len(bundle) == WIDTH:
                yield Tile(ENTRIES, self.size // WIDTH, WIDTH, entries_bundle(bundle))
                bundle = []
            yield from self._push(0, leaf_hash(entry))
        if grown and bundle:
            yield Tile(ENTRIES, self.size // WIDTH, len(bundle), entries_bundle(bundle))
        yield from self._partials()

    def extend_hashes(self, leaf_hashes: Iterable[bytes]) -> Iterator[Tile]:
        """The same from the hashes of leaves alone, without bundles."""
        for hashed in leaf_hashes:
            if len(hashed) != HASH_BYTES:
                raise MalformedLog(f"A hash of the log has {HASH_BYTES} bytes.")
            yield from self._push(0, hashed)
        yield from self._partials()

    def _push(self, level: int, hashed: bytes) -> Iterator[Tile]:
        if level == 0:
            self.size += 1
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(hashed)
        self._changed.add(level)
        if len(row) == WIDTH:
            index = (self.size >> (HEIGHT * (level + 1))) - 1
            yield Tile(level, index, WIDTH, b"".join(row))
            self._rows[level] = []
            yield from self._push(level + 1, root_of(row))

    def _partials(self) -> Iterator[Tile]:
        changed, self._changed = self._changed, set()
        for level, row in enumerate(self._rows):
            if row and level in changed:
                yield Tile(level, self.size >> (HEIGHT * (level + 1)), len(row), b"".join(row))

    def _partial(self, level: int) -> list[bytes]:
        index = self.size >> (HEIGHT * (level + 1))
        width = width_at(self.size, level, index)
        return hashes_in(self._read(level, index, width), width=width) if width else []
