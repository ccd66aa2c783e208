"""What the scenarios of a run share: one world, and one list of each size, made when first asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.listing import Listing, Once
from benchmarks.rows import COLUMNS
from benchmarks.world import World, world


@dataclass(frozen=True, slots=True)
class Scale:
    """Entries of the three lists; releases in a series; polls in a round."""

    small: int = 100_000
    middle: int = 1_000_000
    large: int = 10_000_000
    releases: int = 64
    polls: int = 1000

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.small, self.middle, self.large


QUICK = Scale(small=20_000, middle=30_000, large=60_000, releases=6, polls=100)
"""To see in a minute whether the scenarios work; such figures are never written down."""


@dataclass(slots=True)
class Bed:
    scale: Scale
    stack: contextlib.ExitStack
    hub: Path | None = None
    """Where the large made-up hub is kept for the next run; None: thrown away."""
    once: Once = field(default_factory=Once)

    @property
    def world(self) -> World:
        return self.once("world", lambda: self.stack.enter_context(world()))

    def listing(self, entries: int, columns: tuple[str, ...] = COLUMNS) -> Listing:
        """The list of so many entries with these columns; nothing is published yet."""
        return self.once(f"{entries} {columns}", lambda: Listing(self.world, entries, columns))


@contextlib.contextmanager
def bed(scale: Scale, *, hub: Path | None = None) -> Iterator[Bed]:
    with contextlib.ExitStack() as stack:
        yield Bed(scale, stack, hub)
