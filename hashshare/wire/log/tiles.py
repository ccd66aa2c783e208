"""Tiles (C2SP tlog-tiles): the hashes of a tree in pieces of 256, by which it is stored, served and proved.

The tile (level, index) holds the roots of the 256 subtrees of 256**level leaves that begin at leaf
index * 256**(level + 1); the rightmost of a level is partial, from 1 to 255 hashes wide. At the level ENTRIES stand
bundles of the entries themselves, each after its length as two bytes, big end first. Storage and network stay outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hashshare.wire.errors import MalformedLog
from hashshare.wire.log.merkle import HASH_BYTES

WIDTH: Final = 256
HEIGHT: Final = 8
ENTRIES: Final = -1
MAX_LEVEL: Final = 7
"""A tree of MAX_SIZE leaves has no tile above it."""

MAX_ENTRY: Final = 0xFFFF

TileReader = Callable[[int, int, int], bytes]
"""(level, index, width) -> the tile's first `width` hashes (32 bytes each), or entries at the level ENTRIES."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """`body`: `width` hashes, or as many entries at the level ENTRIES."""

    level: int
    index: int
    width: int
    body: bytes


@dataclass(frozen=True, slots=True)
class TilePlace:
    """What a path names."""

    level: int
    index: int
    width: int


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Below the log's address: `tile/0/x001/234`, `tile/entries/007.p/12`."""
    digits = f"{index:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{'entries' if level == ENTRIES else level}/{name}{f'.p/{width}' if width < WIDTH else ''}"


def parse_tile_path(path: str) -> TilePlace:
    """The reverse; raises MalformedLog for anything that `tile_path` would not write."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise MalformedLog("That is not the path of a tile.")
    level = ENTRIES if match[1] == "entries" else int(match[1])
    index, width = int(match[2].replace("x", "").replace("/", "")), int(match[3] or WIDTH)
    if level > MAX_LEVEL or tile_path(level, index, width) != path:
        raise MalformedLog("That is not the path of a tile.")
    return TilePlace(level, index, width)


def width_at(size: int, level: int, index: int) -> int:
    """How wide the tile is in a tree of `size` leaves: 0 where there is none."""
    count = size >> (HEIGHT * max(level, 0))
    return min(max(count - index * WIDTH, 0), WIDTH)


def tiles_of(size: int) -> Iterable[TilePlace]:
    """Every tile of a tree of `size` leaves, bundles of entries first."""
    for level in range(ENTRIES, MAX_LEVEL + 1):
        count = size >> (HEIGHT * max(level, 0))
        for index in range(-(-count // WIDTH)):
            yield TilePlace(level, index, width_at(size, level, index))


def hashes_in(body: bytes, *, width: int) -> list[bytes]:
    """The hashes of a tile; raises MalformedLog unless there are `width`."""
    if len(body) != HASH_BYTES * width:
        raise MalformedLog(f"A tile of {width} hashes has {len(body)} bytes.")
    return [body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES)]


def entries_bundle(entries: Iterable[bytes]) -> bytes:
    """Raises MalformedLog for an entry that is too long."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise MalformedLog(f"An entry has at most {MAX_ENTRY} bytes.")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def read_entries(bundle: bytes, *, width: int | None = None) -> list[bytes]:
    """The entries of a bundle; raises MalformedLog when it is cut off, or does not have `width` of them."""
    entries, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle):
            raise MalformedLog("A bundle of entries is cut off.")
        entries.append(bundle[at + 2 : end])
        at = end
    if len(entries) > WIDTH or (width is not None and len(entries) != width):
        raise MalformedLog(f"A bundle has {len(entries)} entries; {width or f'at most {WIDTH}'} are expected.")
    return entries


def cut(level: int, body: bytes, width: int) -> bytes:
    """A partial tile of a wider one: its first `width` hashes or entries; raises MalformedLog when it has fewer."""
    if level != ENTRIES:
        if len(body) < HASH_BYTES * width:
            raise MalformedLog("The tile is not that wide.")
        return body[: HASH_BYTES * width]
    entries = read_entries(body)
    if len(entries) < width:
        raise MalformedLog("The bundle is not that wide.")
    return entries_bundle(entries[:width])
