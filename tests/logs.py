"""Logs under test: leaves by the hundred, and the whole of a log held against the definition of its tree."""

from __future__ import annotations

from collections.abc import Sequence

from hashshare.log_keys import log_key
from hashshare.models import HashList, Leaf, Log, Organisation
from hashshare.selectors.logs import tile_reader
from hashshare.selectors.padding import padding_opening
from hashshare.services.logs import hidden_leaf
from hashshare.wire.log import (
    ENTRIES,
    WIDTH,
    Checkpoint,
    DeliveryRow,
    Opening,
    Verifier,
    entry_of,
    leaf_hash,
    open_checkpoint,
    read_entries,
    tiles_of,
)
from hashshare.wire.log.tiles import hashes_in
from tests import builders as b
from tests.wire.log.naive import mth


def row(number: int, **changes: str) -> DeliveryRow:
    return DeliveryRow(
        **{  # type: ignore[arg-type]
            "organisation": "cobalt",
            "list_name": "aurora.example/images",
            "list_id": "0123456789abcdef",
            "version": number + 1,
            "acknowledged": None,
            "manifest_sha256": f"{number:064x}",
            "bytes": 700,
            "at": b.now(),
            "key": "",
            **changes,
        }
    )


def leaves(
    log: Log, count: int, *, organisation: Organisation | None = None, hash_list: HashList | None = None, first: int = 0
) -> list[Leaf]:
    """So many waiting leaves, as deliveries leave them."""
    made = [hidden_leaf(log.pk, row(number), b.now()) for number in range(first, first + count)]
    for leaf in made:
        leaf.organisation, leaf.list = organisation, hash_list
    return Leaf.objects.bulk_create(made)


def checkpoint(log: Log) -> Checkpoint:
    return opened(log, log.checkpoint)


def opened(log: Log, note: str) -> Checkpoint:
    """A note of the log, its signature verified."""
    return open_checkpoint(note, Verifier(log.origin, log_key().public), origin=log.origin)


def entries(log: Log, size: int | None = None) -> list[bytes]:
    """What its bundles hold."""
    read, size = tile_reader(log), log.size if size is None else size
    bundles = [read(*place) for place in places(size) if place[0] == ENTRIES]
    return [entry for bundle in bundles for entry in read_entries(bundle)]


def places(size: int) -> list[tuple[int, int, int]]:
    return [(place.level, place.index, place.width) for place in tiles_of(size)]


def check(log: Log) -> list[bytes]:
    """The log is one tree of its definition, tile by tile; every sealed leaf is in its place, all else is padding.

    Its entries.
    """
    log.refresh_from_db()
    held, signed = entries(log), checkpoint(log)
    assert (signed.size, signed.root) == (log.size, bytes(log.root))
    assert len(held) == log.size
    assert mth(held) == signed.root
    check_tiles(log, held)
    sealed = {leaf.index: leaf for leaf in Leaf.objects.filter(log=log, index__isnull=False)}
    assert len(sealed) == Leaf.objects.filter(log=log, index__isnull=False).count()
    assert all(index is not None and index < log.size for index in sealed)
    for index, entry in enumerate(held):
        leaf = sealed.get(index)
        if leaf is None:
            assert entry == entry_of(padding_opening(log, index)), f"{index} is nobody's and no padding"
        elif leaf.row is not None:
            assert entry == entry_of(Opening(bytes(leaf.nonce or b""), leaf.row)), index
    return held


def check_tiles(log: Log, held: Sequence[bytes]) -> None:
    read, level_0 = tile_reader(log), [leaf_hash(entry) for entry in held]
    rows = [level_0]
    while len(rows[-1]) >= WIDTH:
        whole = len(held) >> (8 * len(rows))
        span = WIDTH ** len(rows)
        rows.append([mth(held[at * span : (at + 1) * span]) for at in range(whole)])
    for level, index, width in places(len(held)):
        if level != ENTRIES:
            expected = rows[level][index * WIDTH : index * WIDTH + width]
            assert hashes_in(read(level, index, width), width=width) == expected, (level, index)
