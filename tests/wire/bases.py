"""A whole base against the fold of what it replaces, shard by shard as a hub's jobs check them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hashshare.wire.checks import check_shard, first_prefix, key_ranges
from hashshare.wire.engine import Engine
from hashshare.wire.state import HeldState


def check_base(engine: Engine, state: HeldState, shards: Sequence[Path], *, today: date) -> None:
    """Checks that `shards` (in key order) are the fold of `state`, over all columns, one after the other.

    Only entries lapsed by `today` may be missing. Raises WrongFold.
    """
    lows = [first_prefix(engine, shard) for shard in shards]
    given: Sequence[Path | None] = shards or [None]
    for shard, span in zip(given, key_ranges(lows), strict=True):
        check_shard(engine, state, shard, span, today=today)
