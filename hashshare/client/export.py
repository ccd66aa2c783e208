"""Held entries written out for other programs, from verified objects only."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hashshare.client.home import make_private_folder
from hashshare.client.store import Held, HeldObject, ListStore
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.errors import UsageError
from hashshare.wire.export import ExportFormat, export_changes, export_entries
from hashshare.wire.state import HeldState

MEMORY: Final = "128MiB"
"""What does not fit spills to the disk."""
THREADS: Final = 1
"""Each more would hold a row group of its own, as text, while it is written."""


def export_list(store: ListStore, output: Path | None, *, kind: ExportFormat) -> tuple[Held, int]:
    """Write the live entries to `output` (None: stdout); what was held, and how many rows."""
    today = datetime.now(UTC).date()
    with _destination(store, output, kind) as path, _reading(store, path) as (engine, held, state):
        return held, export_entries(engine, state, path, kind=kind, today=today)


def export_list_changes(store: ListStore, output: Path | None, *, since: int, kind: ExportFormat) -> tuple[Held, int]:
    """Write what changed after version `since`. Raises UsageError when the store does not reach back that far."""
    with _destination(store, output, kind) as path, _reading(store, path) as (engine, held, _):
        files = [store.object_path(part.sha256) for part in changes_since(held, since)]
        return held, export_changes(engine, files, path, fmt=held.fmt, kind=kind)


@contextlib.contextmanager
def _reading(store: ListStore, path: Path) -> Iterator[tuple[Engine, Held, HeldState]]:
    """An engine of bounded memory over what is held, which may write `path`."""
    with (
        store.pinned() as (held, state),
        open_engine(read=state.paths, write=path.parent, memory=MEMORY, threads=THREADS) as engine,
    ):
        yield engine, held, state


def changes_since(held: Held, since: int) -> list[HeldObject]:
    """The deltas to fold. One that begins before `since` is taken whole: operations are absolute."""
    if not 1 <= since <= held.version:
        raise UsageError(
            f"{held.name} is held at version {held.version}; --since is from 1 to that.",
            next_step=f"For all of its entries: hashshare export {held.name}",
        )
    chain = [*held.earlier, *held.deltas]
    first = min((part.from_version for part in chain), default=held.version)
    if since < first:
        raise UsageError(
            f"{held.name} came here in full at version {held.base_version}; changes are known since version {first}.",
            next_step=f"hashshare export {held.name}",
        )
    return [part for part in chain if part.to_version > since]


@contextlib.contextmanager
def _destination(store: ListStore, output: Path | None, kind: ExportFormat) -> Iterator[Path]:
    """Where the engine writes: `output`, or a private file that is copied to stdout at the end."""
    if output is not None:
        target = output.absolute()
        if not target.parent.is_dir() or target.is_dir():
            raise UsageError(f"{output} cannot be written: its folder does not exist, or it is a folder itself.")
        yield target
        return
    if kind == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", next_step="Name a file: -o FILE")
    scratch = make_private_folder(store.home.path / "scratch")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder, f"export.{kind}")
        yield path
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()
