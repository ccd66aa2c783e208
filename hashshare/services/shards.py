"""Judging a new base, shard by shard: each stands alone, so that any worker may judge any of them.

A renewed base is proved by key range: what lies between the beginnings of two neighbouring shards must be the fold of
the previous base and the deltas there. Only the previous base's shards that reach into the range are opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hashshare.models import GuardedDigest
from hashshare.services.manifests import checked_file, object_path
from hashshare.wire import errors
from hashshare.wire.algorithms import guard_list
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.checks import KeyRange, check_guard, check_shard, key_ranges
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Segment
from hashshare.wire.segments import verify_segment
from hashshare.wire.state import HeldState

Progress = Callable[[int, int, str], None]
"""Takes what is done, of how much, and a word about it; raises LostClaim when the work is no longer wanted."""

MEMORY = "512MiB"
"""For the engine; with Python and its libraries the worker stays under 1 GiB."""


@dataclass(frozen=True, slots=True)
class NewBase:
    """A base under examination. `before` and `deltas` are what it must be the fold of; None for a list's first."""

    fmt: ListFormat
    index: BaseIndex
    before: BaseIndex | None
    deltas: tuple[Segment, ...]
    built_on: date
    progress: Progress

    def check_all(self) -> None:
        """Every shard, one after the other. Raises what `check` raises."""
        for number in range(len(self.index.shards)):
            self.check(number)
        if not self.index.shards:
            self.check_fold(None, KeyRange())

    def check(self, number: int) -> dict[str, Any]:
        """One shard alone: its bytes, its rows, and that they are what they must be. Returns what was judged.

        Raises MissingObject, WrongDigest, MalformedSegment (also when the index says something else of it),
        GuardedHash, WrongFold.
        """
        shard, span = self.index.shards[number], self.ranges[number]
        ref = shard.object
        self.progress(0, 2, f"Checking {ref.name}")
        path = checked_file(ref)
        facts = verify_segment(path, fmt=self.fmt, kind="base", sha256=ref.sha256, memory=MEMORY)
        if (facts.rows, facts.low, facts.high) != (shard.entries, shard.low, shard.high):
            raise errors.MalformedSegment(f"{ref.name} is not what the base index says of it.", path=ref.path)
        self.progress(1, 2, f"Comparing {ref.name}")
        if self.before is None:
            with open_engine(read=[path], memory=MEMORY) as engine:
                check_guard(engine, path, fmt=self.fmt, guard=guarded())
        else:
            self.check_fold(path, span)
        return {"object": ref.path, "sha256": ref.sha256, "entries": facts.rows}

    def check_fold(self, shard: Path | None, span: KeyRange) -> None:
        if self.before is None:
            return
        base = tuple(object_path(it.object) for it in self.before.shards if reaches(it, span))
        deltas = tuple(object_path(segment.object) for segment in self.deltas)
        state = HeldState(self.fmt, base=base, deltas=deltas)
        with open_engine(read=[*state.paths, *([shard] if shard else [])], memory=MEMORY) as engine:
            check_shard(engine, state, shard, span, today=self.built_on)

    @property
    def ranges(self) -> list[KeyRange]:
        """What each shard answers for: together all keys, and none twice."""
        return key_ranges([int(shard.low, 16) for shard in self.index.shards])

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(ref.sha256 for ref in self.index.object_refs())


def reaches(shard: Shard, span: KeyRange) -> bool:
    return int(shard.low, 16) <= span.high and int(shard.high, 16) >= span.low


def guarded() -> dict[str, frozenset[bytes]]:
    """The built-in guard list and what the operator added to it."""
    guard = dict(guard_list())
    for name, digest in GuardedDigest.objects.values_list("algorithm", "digest"):
        guard[name] = guard.get(name, frozenset()) | {bytes.fromhex(digest)}
    return guard
