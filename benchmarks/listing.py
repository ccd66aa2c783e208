"""A list of so many entries in the world: published once, synced once, then as many releases as are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from benchmarks.access import Seen, watching
from benchmarks.measure import Run, cpu_of, peak_of
from benchmarks.results import size_text
from benchmarks.rows import COLUMNS, HASHES, METADATA, write_changes, write_csv
from benchmarks.world import DOMAIN, World

SLIM: Final = ("sha256", *METADATA)
KEEP_FILE: Final = 1_000_000
"""Above so many entries the hotline's file is removed once it is published: rivals read only smaller ones."""
T = TypeVar("T")


class Once:
    """Results by name, each made at most once; what failed fails again at once instead of being tried for minutes."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __call__(self, name: str, make: Callable[[], T]) -> T:
        if name not in self._made:
            try:
                self._made[name] = make()
            except Exception as error:
                self._made[name] = error
                raise
        made = self._made[name]
        if isinstance(made, Exception):
            raise made
        return made  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Published:
    """A `publish`: the hotline's process, the processor seconds that the hub spent on it, what the hub was asked.

    `renewed` when it also wrote, uploaded or adopted a new base.
    """

    run: Run
    worker_cpu: float
    web_cpu: float
    worker_peak: float
    seen: Seen
    renewed: bool

    @property
    def stages(self) -> dict[str, float]:
        stages: dict[str, float] = self.run.document["stages"]
        return stages


@dataclass(frozen=True, slots=True)
class Synced:
    """A member's `sync`, and the processor seconds of the hub's web server meanwhile."""

    run: Run
    web_cpu: float
    seen: Seen


@dataclass(slots=True)
class Listing:
    """One list; `columns` begin with its key."""

    world: World
    entries: int
    columns: tuple[str, ...] = COLUMNS
    done: int = 0
    once: Once = field(default_factory=Once)

    @property
    def size(self) -> str:
        return size_text(self.entries)

    @property
    def slug(self) -> str:
        return f"list-{self.entries}-{len(self.columns)}"

    @property
    def name(self) -> str:
        return f"{DOMAIN}/{self.slug}"

    @property
    def csv(self) -> Path:
        return self.world.folder / f"{self.slug}.csv"

    # --- what happens once ---

    def published(self) -> Published:
        """The first release, of all entries."""
        return self.once("published", self._publish)

    def synced(self) -> Synced:
        """The member's first sync."""
        self.published()
        return self.once("synced", self.sync)

    def _publish(self) -> Published:
        hashes = [name for name in self.columns if name in HASHES]
        metadata = [name for name in self.columns if name in METADATA]
        self.world.make_list(self.slug, algorithms=",".join(hashes), columns=",".join(metadata))
        write_csv(self.csv, rows=self.entries, columns=self.columns)
        done = self._accounted(self.name, self.csv)
        if self.entries > KEEP_FILE:
            self.csv.unlink()
        return done

    # --- what happens as often as wanted ---

    def release(self, changes: int) -> Published:
        """One more release of so many operations."""
        self.published()
        file = self.csv.with_suffix(".changes.csv")
        write_changes(file, entries=self.entries, changes=changes, done=self.done, columns=self.columns)
        self.done += changes
        return self._accounted(self.name, file, "--changes")

    def sync(self) -> Synced:
        web = self.world.program("web")
        before = cpu_of(web)
        with watching(self.world.hub.access_log) as seen:
            run = self.world.hashshare(self.world.cobalt, "sync", "--now", self.name)
        return Synced(run, cpu_of(web) - before, seen)

    def _accounted(self, *arguments: str | Path) -> Published:
        worker, web = self.world.program("worker"), self.world.program("web")
        before, base = (cpu_of(worker), cpu_of(web)), self.base_version()
        with watching(self.world.hub.access_log) as seen:
            run = self.world.hashshare(self.world.aurora, "publish", *arguments)
        peak = max(peak_of(pid) for pid in worker)
        renewed = base is not None and ("new_base" in run.document or self.base_version() != base)
        return Published(run, cpu_of(worker) - before[0], cpu_of(web) - before[1], peak, seen, renewed)

    # --- what is held ---

    def store(self) -> dict[str, Any]:
        """The hotline's own record of the files that make up the list now."""
        for path in self.world.aurora.home.glob("lists/*/current.json"):
            document: dict[str, Any] = json.loads(path.read_text())
            if document["name"] == self.name:
                return document
        raise LookupError(f"{self.name} is not held by its publisher.")

    def base_version(self) -> int | None:
        """The version of the base that the published manifest names; None before the first release."""
        try:
            return int(self.store()["base_version"])
        except LookupError:
            return None

    def objects(self) -> list[tuple[str, str, int]]:
        """(path, sha256, length) of every Parquet object of the base and the chain past it."""
        held = self.store()
        return [(item["path"], item["sha256"], item["length"]) for item in held["base"] + held["deltas"]]
