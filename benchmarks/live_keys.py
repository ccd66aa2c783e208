"""The hub's live-key check alone, in a process like a worker's: `python -m benchmarks.live_keys FOLDER` prints seconds.

FOLDER is a list's as its publisher holds it. A delta of 1,000 changes against it is made first, untimed: keys that are
held, to be changed and taken back, and new ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from hashshare.wire.checks import check_delta
from hashshare.wire.engine import open_engine, paths
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.segments import write_delta
from hashshare.wire.state import HeldState

MEMORY = "512MiB"
"""As the hub's worker has it."""
CHANGES, CHANGED, WITHDRAWN, TIMES = 1000, 10, 10, 7


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    state = held(parser.parse_args().folder)
    with tempfile.TemporaryDirectory() as name:
        delta = Path(name, "delta.parquet")
        make_delta(state, delta)
        print(json.dumps([seconds(state, delta) for _ in range(TIMES)]))
    return 0


def seconds(state: HeldState, delta: Path) -> float:
    """One check, from opening the engine to the verdict."""
    started = time.perf_counter()
    with open_engine(read=[*state.paths, delta], memory=MEMORY) as engine:
        effect = check_delta(engine, state, delta)
    elapsed = time.perf_counter() - started
    if (effect.added, effect.updated, effect.withdrawn) != (CHANGES - CHANGED - WITHDRAWN, CHANGED, WITHDRAWN):
        raise RuntimeError(f"The check found another effect: {effect}")
    return elapsed


def held(folder: Path) -> HeldState:
    """The files that current.json names."""
    current = json.loads((folder / "current.json").read_text())
    fmt = ListFormat(tuple(current["algorithms"]), current["scheme"], tuple(current["columns"]))

    def files(part: str) -> tuple[Path, ...]:
        return tuple(folder / "objects" / f"{item['sha256']}.parquet" for item in current[part])

    return HeldState(fmt, base=files("base"), deltas=files("deltas"), earlier=files("earlier"))


def make_delta(state: HeldState, path: Path) -> None:
    """Held keys from the middle of each shard, which no release of the series touched last; new ones at random."""
    columns = segment_columns(state.fmt, "delta")
    typed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    taken = CHANGED + WITHDRAWN
    with open_engine(read=state.paths, write=path.parent) as engine:
        engine.execute(f"CREATE TEMP TABLE made ({typed})")
        engine.execute(
            f"CREATE TEMP TABLE touched AS SELECT p FROM read_parquet({paths([*state.deltas, *state.earlier])})"
            if state.deltas or state.earlier
            else "CREATE TEMP TABLE touched (p UBIGINT)"
        )
        engine.execute(f"""
            INSERT INTO made BY NAME
            SELECT CASE WHEN row_number() OVER () <= {CHANGED} THEN 1 ELSE 2 END AS op,
                CASE WHEN row_number() OVER () <= {CHANGED} THEN NULL ELSE 'incorrect' END AS reason, p, s
            FROM (SELECT p, s FROM read_parquet({paths(state.base)}) WHERE p % 977 = 0 AND p NOT IN (FROM touched)
                  ORDER BY hash(p) LIMIT {taken})""")
        engine.execute(f"""
            INSERT INTO made BY NAME
            SELECT 1 AS op, ('0x' || substr(key, 1, 16))::UBIGINT AS p, unhex(substr(key, 17)) AS s
            FROM (SELECT sha256('live' || i) AS key FROM range({CHANGES - taken}) AS r(i))""")
        write_delta(engine, "made", path, fmt=state.fmt)


if __name__ == "__main__":
    sys.exit(main())
