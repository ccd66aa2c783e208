"""Segments made on this machine instead of downloaded: merged deltas and the shards of a renewed base.

Nothing is believed here: what was made counts only if it has the length and SHA-256 that the publisher signed. Another
version of the engine may write the same rows as other bytes; then the object is fetched like any other.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from hashshare.client.home import make_private_folder
from hashshare.client.planning import Merge, Renewal, overlapping
from hashshare.client.store import HeldObject, ListStore
from hashshare.wire.compaction import merge_deltas
from hashshare.wire.engine import Engine, literal, open_engine, scalar
from hashshare.wire.entries import ListFormat
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.segments import file_sha256, select_list, write_parquet
from hashshare.wire.state import HeldState, entry_columns, fold_later, held_rows

MEMORY: Final = "128MiB"
"""With one thread, enough to sort a shard of a million entries with four hashes, spilling."""


def make_merges(store: ListStore, merges: tuple[Merge, ...], fmt: ListFormat) -> Iterator[HeldObject]:
    """Make each merged segment and place it; yields those that came out as they were signed."""
    for merge in merges:
        files = [store.object_path(part.sha256) for part in merge.parts]
        with working_engine(store, files) as (engine, folder):
            made, rows = folder / "made.parquet", 0
            with contextlib.suppress(duckdb.OutOfMemoryException):
                rows = merge_deltas(engine, files, made, fmt=fmt).rows
            if _adopted(store, made, merge.merged, rows):
                yield merge.merged


def make_shards(store: ListStore, renewal: Renewal, fmt: ListFormat, *, built: date) -> Iterator[HeldObject]:
    """Make each shard of a base whose entries lapsed by `built` were left out, and place it.

    Yields those that came out as they were signed, and stops at the first that did not: the rest would not either.
    """
    for shard in renewal.shards:
        base = overlapping(renewal.base, shard)
        files = [tuple(store.object_path(it.sha256) for it in parts) for parts in (base, renewal.deltas)]
        state = HeldState(fmt, base=files[0], deltas=files[1])
        with working_engine(store, state.paths) as (engine, folder):
            made, rows = folder / "made.parquet", 0
            with contextlib.suppress(duckdb.OutOfMemoryException):
                rows = _write_shard(engine, state, made, shard, built)
            if not _adopted(store, made, shard, rows):
                return
            yield shard


def _write_shard(engine: Engine, state: HeldState, path: Path, shard: HeldObject, built: date) -> int:
    span = f"p BETWEEN {int(shard.low, 16)} AND {int(shard.high, 16)}"
    fold_later(engine, state, condition=span)
    live = f"{span} AND ({not_lapsed(state.fmt, built)})"
    held = held_rows(state, entry_columns(state.fmt), condition=live)
    write_parquet(engine, f"SELECT {select_list(state.fmt, 'base')} FROM ({held}) ORDER BY p, s", path)
    return scalar(engine, f"SELECT num_rows FROM parquet_file_metadata({literal(path)})")


@contextlib.contextmanager
def working_engine(
    store: ListStore, files: Iterable[Path], *, scattered: bool = False
) -> Iterator[tuple[Engine, Path]]:
    """An engine over these held files, of a sync's memory, and a folder to write in.

    What a killed run left there goes first.
    """
    folder = store.making_folder
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    try:
        with open_engine(read=files, write=folder, memory=MEMORY, threads=1, scattered=scattered) as engine:
            yield engine, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _adopted(store: ListStore, made: Path, signed: HeldObject, rows: int) -> bool:
    """Whether these are the signed bytes, and as many rows as was signed; if so they are placed as the object."""
    if rows != signed.rows or made.stat().st_size != signed.length or file_sha256(made) != signed.sha256:
        return False
    store.place(made, signed.sha256)
    return True
