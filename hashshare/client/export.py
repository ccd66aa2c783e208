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
from hashshare.client.store import Held, ListStore
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.errors import UsageError
from hashshare.wire.export import ExportFormat, export_entries
from hashshare.wire.lapsing import day_of
from hashshare.wire.state import HeldState

MEMORY: Final = "128MiB"
"""What does not fit spills to the disk."""
THREADS: Final = 1
"""Each more would hold a row group of its own, as text, while it is written."""


def export_list(store: ListStore, output: Path | None, *, kind: ExportFormat) -> tuple[Held, int]:
    """Write the live entries to `output` (None: stdout); what was held, and how many rows."""
    today = day_of(datetime.now(UTC))
    with destination(store, output, kind) as path, _reading(store, path) as (engine, held, state):
        return held, export_entries(engine, state, path, kind=kind, today=today)


@contextlib.contextmanager
def _reading(store: ListStore, path: Path) -> Iterator[tuple[Engine, Held, HeldState]]:
    """An engine of bounded memory over what is held, which may write `path`."""
    with (
        store.pinned() as (held, state),
        open_engine(read=state.paths, write=path.parent, memory=MEMORY, threads=THREADS) as engine,
    ):
        yield engine, held, state


@contextlib.contextmanager
def destination(store: ListStore, output: Path | None, kind: ExportFormat) -> Iterator[Path]:
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
