"""DuckDB, opened so that it reads the files it was told to and nothing else.

Every query over entries runs on a connection made here. What comes from others is digest-checked first and then
opened with `read` naming just that file; nothing in it can make the engine reach another file, an extension, the
network or more memory.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

Engine: TypeAlias = duckdb.DuckDBPyConnection

DEFAULT_MEMORY = "256MiB"
"""What DuckDB may allocate; the process takes some 100 MiB more."""


@contextmanager
def open_engine(
    *,
    read: Iterable[Path] = (),
    write: Path | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int = 2,
    distrust: bool = False,
    scattered: bool = False,
) -> Iterator[Engine]:
    """A private in-memory DuckDB that may read the files (or folders) `read` and read and write in the folder `write`.

    Larger work spills to a private temporary folder (in `write` if given) that is removed at the end. Foreign reads
    and writes, extensions and changes of settings raise duckdb.Error. `distrust` makes queries look at every value
    of a file instead of believing its statistics; `scattered` is for queries that want a few rows of large files.
    """
    with tempfile.TemporaryDirectory(prefix="hashshare-", dir=write) as spill:
        engine = duckdb.connect(":memory:", config={"threads": threads, "memory_limit": memory})
        if scattered:
            engine.execute("SET disable_parquet_prefetching = true")
            engine.execute("SET enable_external_file_cache = false")
        try:
            _confine(engine, spill=spill, read=list(read), write=write, distrust=distrust)
            yield engine
        finally:
            engine.close()


def _confine(engine: Engine, *, spill: str, read: Sequence[Path], write: Path | None, distrust: bool) -> None:
    folders = [path for path in read if path.is_dir()] + ([write] if write else [])
    files = [path for path in read if not path.is_dir()]
    if distrust:
        engine.execute("SET disabled_optimizers = 'statistics_propagation'")
    engine.execute(f"SET temp_directory = {literal(spill)}")
    engine.execute("SET autoinstall_known_extensions = false")
    engine.execute("SET autoload_known_extensions = false")
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute("SET enable_progress_bar = false")
    if folders:
        engine.execute(f"SET allowed_directories = {paths(folders)}")
    if files:
        engine.execute(f"SET allowed_paths = {paths(files)}")
    engine.execute("SET enable_external_access = false")
    engine.execute("SET lock_configuration = true")


def literal(text: str | Path) -> str:
    """Text as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def paths(files: Iterable[Path]) -> str:
    """Files as an SQL list of their absolute names, as `read_parquet` takes it."""
    return "[" + ", ".join(literal(path.absolute()) for path in files) + "]"


def scalar(engine: Engine, query: str, parameters: Sequence[object] = ()) -> int:
    """The one integer that `query` yields."""
    row = engine.execute(query, list(parameters)).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


_NO_ROOM: Final = (
    *(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)),
    "failed to offload data block",
)


def found_no_room(error: BaseException) -> bool:
    """Whether an operation, the engine's or the system's, failed for want of space on a disk."""
    return any(text in str(error) for text in _NO_ROOM)
