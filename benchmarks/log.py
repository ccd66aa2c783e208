"""The log's format by itself, in memory: growing a tree, what it takes up, proving and checking receipts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from benchmarks.results import Figure, Figures, size_text
from hashshare.wire import keys
from hashshare.wire.log import (
    Checkpoint,
    DeliveryRow,
    Frontier,
    Receipt,
    Tree,
    Verifier,
    cut,
    entry_of,
    new_opening,
    sign_checkpoint,
)

make: Final = Figures("log")
LEAVES: Final = 100_000
GROWN: Final = 3_907 * 256
"""A million, and whole tiles."""
MINUTE: Final = 1_000
"""Leaves of a busy minute."""
RECEIPTS: Final = 100
ORIGIN: Final = "north.example/log/aurora.example"
TURNS: Final = 3


class Memory:
    """Tiles by place."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[int, int], bytes] = {}

    def read(self, level: int, index: int, width: int) -> bytes:
        return cut(level, self.bodies[level, index], width)

    def grow(self, size: int, entries: Sequence[bytes]) -> Frontier:
        frontier = Frontier(size, self.read)
        for tile in frontier.extend(entries):
            self.bodies[tile.level, tile.index] = tile.body
        return frontier


def measure() -> Iterator[Figure]:
    """The best of three turns each: what varies is the machine."""
    yield opening()
    entries = [entry_of(new_opening(row(number))) for number in range(LEAVES)]
    yield appending(entries)
    yield appending_to_a_large_log(entries[:MINUTE])
    memory = Memory()
    frontier = memory.grow(0, entries)
    stored = sum(map(len, memory.bodies.values()))
    yield make.plain(
        f"bytes of tiles and entries of {size_text(LEAVES)} leaves",
        stored / LEAVES,
        "B/leaf",
        note="53 of them are the entry; the rows and nonces that explain it come to it in the hub's tables",
    )
    yield from receipts(memory, frontier, entries)


def row(number: int) -> str:
    return DeliveryRow(
        organisation="cobalt",
        list_name="aurora.example/images",
        list_id="3f9c0a51d2e4b786",
        version=number + 2,
        acknowledged=number + 1,
        manifest_sha256=hashlib.sha256(b"%d" % number).hexdigest(),
        bytes=2_048,
        at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        key="SHA256:CvPVC1RHV7ZlP5WhGH1HZXsA1gBnJ1dQ9gYFkLkG1nE",
    ).to_row()


def opening() -> Figure:
    """A delivery's row, its nonce and its entry: what a request for a manifest computes."""
    seconds = best(lambda: [entry_of(new_opening(row(number))) for number in range(MINUTE)])
    return make.plain("log: row, nonce and entry of a delivery", seconds / MINUTE * 1e6, "us")


def appending(entries: Sequence[bytes]) -> Figure:
    """From entries to tiles, bundles and root, beside the SHA-256 of as many bytes, which nobody can leave out."""
    ours = best(lambda: Memory().grow(0, entries).root())
    theirs = best(lambda: [hashlib.sha256(b"\1" + hashlib.sha256(b"\0" + entry).digest() * 2) for entry in entries])
    return make.bounded(
        f"log: append to tiles, {size_text(len(entries))} leaves at once",
        ours / len(entries) * 1e6,
        "us/leaf",
        "<= 20 us",
        rival=f"its hashes alone, {theirs / len(entries) * 1e6:.2f} us",
    )


def appending_to_a_large_log(entries: Sequence[bytes]) -> Figure:
    """A busy minute's, read from and written to the tiles of a log that is there, with a new root and signature."""
    memory, key = Memory(), keys.generate()
    frontier = Frontier(0, memory.read)
    for tile in frontier.extend_hashes(b"%032d" % number for number in range(GROWN)):
        memory.bodies[tile.level, tile.index] = tile.body

    def minute() -> str:
        grown = memory.grow(GROWN, entries)
        return sign_checkpoint(Checkpoint(ORIGIN, grown.size, grown.root()), key=key)

    seconds = best(minute)
    return make.bounded(
        f"log: append {len(entries):,} leaves to a million and sign",
        seconds / len(entries) * 1e6,
        "us/leaf",
        "<= 20 us",
    )


def receipts(memory: Memory, frontier: Frontier, entries: Sequence[bytes]) -> Iterator[Figure]:
    """A page of receipts of leaves in a row, and a member's check of one, the key's signature included."""
    key = keys.generate()
    note = sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root()), key=key)
    verifier = Verifier(ORIGIN, keys.public_bytes(key))

    def prove() -> list[str]:
        tree = Tree(frontier.size, memory.read)
        return [Receipt(at, tuple(tree.inclusion_proof(at)), note).to_text() for at in range(RECEIPTS)]

    def check(texts: Sequence[str]) -> None:
        for entry, text in zip(entries, texts, strict=False):
            Receipt.parse(text).verify(entry, verifier, origin=ORIGIN)

    texts = prove()
    yield make.plain(
        f"log: prove a receipt, {RECEIPTS} of {size_text(LEAVES)} at once", best(prove) / RECEIPTS * 1e6, "us"
    )
    yield make.plain("log: check a receipt offline", best(lambda: check(texts)) / RECEIPTS * 1e6, "us")
    yield make.plain("log: size of a receipt", sum(map(len, texts)) / RECEIPTS, "B")


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest turn."""
    seconds = []
    for _ in range(TURNS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
