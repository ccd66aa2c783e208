"""Whole histories in real segments: written, merged by the rule, renewed, caught up from every version."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hashshare.wire.chain import catch_up, kept_versions, merge_candidates, step
from hashshare.wire.checks import check_merge
from hashshare.wire.compaction import merge_deltas, renew_base
from hashshare.wire.engine import open_engine
from hashshare.wire.manifest import Base, Manifest, Segment
from hashshare.wire.objects import ObjectRef, delta_path
from hashshare.wire.segments import SegmentFacts, verify_segment
from hashshare.wire.state import HeldState, entry_columns, fold_later, held_rows

from .aurora import LIST_ID, base_of, manifest_of
from .lists import IMAGES, TODAY, Row, delta, reinstate, upsert, withdraw

Content = dict[bytes, tuple[object, ...]]


@dataclass
class Files:
    """A publisher's folder: deltas by their versions, the shards of each base, and what every version holds."""

    folder: Path
    manifest: Manifest = field(default_factory=manifest_of)
    deltas: dict[tuple[int, int], Path] = field(default_factory=dict)
    bases: dict[int, tuple[Path, ...]] = field(default_factory=lambda: {1: ()})
    contents: list[Content] = field(default_factory=lambda: [{}, {}])
    gone: set[int] = field(default_factory=set)
    live: set[int] = field(default_factory=set)

    def release(self, chance: random.Random, *, size: int) -> None:
        """Random changes; the next manifest, with the base of `renew` if one is waiting."""
        version = self.manifest.version
        rows = self.changes(chance, size)
        path, facts = delta(self.folder, f"delta-{version}-{version + 1}", rows)
        held = dict(self.contents[-1])
        for row in rows:
            held.pop(row.key, None)
            if row.op != 2:
                held[row.key] = row.content
        self.contents.append(held)
        segments = self.merged([*self.manifest.segments, self.segment(version, version + 1, path, facts)])
        base = self.waiting() or self.manifest.base
        following = manifest_of(*segments, base=base, entries=len(held))
        taken = step(self.manifest, following)
        assert taken.delta == following.segments[-1]
        assert bool(taken.base) == (base != self.manifest.base)
        self.manifest = following

    def changes(self, chance: random.Random, size: int) -> list[Row]:
        rows = []
        for seed in chance.sample(range(120), size):
            if seed in self.gone and chance.random() < 0.5:
                rows.append(reinstate(seed, category=chance.choice("ABC")))
            elif seed in self.live and chance.random() < 0.4:
                rows.append(withdraw(seed))
                self.live.discard(seed)
                self.gone.add(seed)
                continue
            elif seed not in self.gone:
                rows.append(upsert(seed, category=chance.choice("ABC")))
            else:
                continue
            self.gone.discard(seed)
            self.live.add(seed)
        return rows

    def waiting(self) -> Base | None:
        """A base that was built and that the manifest does not name yet."""
        version = max(self.bases)
        if version == self.manifest.base.version:
            return None
        return base_of(LIST_ID, version=version, entries=len(self.contents[version]), bodies=[b"x" * 40_000])[1]

    def renew(self) -> None:
        """Build a base at the head."""
        version = self.manifest.version
        base = self.bases[self.manifest.base.version]
        parts = [part for part in self.manifest.segments if part.to_version > self.manifest.base.version]
        state = HeldState(IMAGES, base=base, deltas=tuple(map(self.path, parts)))
        with open_engine(read=state.paths, write=self.folder) as engine:
            shards = renew_base(engine, state, self.folder, version=version, today=TODAY, shard_entries=50)
        self.bases[version] = tuple(shard.path for shard in shards)

    def path(self, segment: Segment) -> Path:
        return self.deltas[segment.from_version, segment.to_version]

    def segment(self, start: int, end: int, path: Path, facts: SegmentFacts) -> Segment:
        self.deltas[start, end] = path
        ref = ObjectRef(delta_path(LIST_ID, from_version=start, to_version=end), facts.length, facts.sha256)
        return Segment(start, end, facts.upserts, facts.withdrawals, ref)

    def merged(self, segments: list[Segment]) -> list[Segment]:
        for run in merge_candidates(segments, keep=kept_versions(self.manifest, max(self.bases))):
            start, end = run[0].from_version, run[-1].to_version
            paths, path = [self.path(part) for part in run], self.folder / f"delta-{start}-{end}.parquet"
            with open_engine(read=paths, write=self.folder) as engine:
                facts = merge_deltas(engine, paths, path, fmt=IMAGES)
            assert verify_segment(path, fmt=IMAGES, kind="delta", sha256=facts.sha256) == facts
            with open_engine(read=[*paths, path]) as engine:
                check_merge(engine, paths, path, fmt=IMAGES)
            place = segments.index(run[0])
            segments[place : place + len(run)] = [self.segment(start, end, path, facts)]
        return segments

    def caught_up(self, held: int | None) -> Content:
        """What a member holds after it followed its plan from a base at `held`."""
        plan = catch_up(self.manifest, held)
        start = self.manifest.base.version if plan.base else held
        before = tuple(part for part in self.manifest.segments if start and part.to_version <= start)
        assert start is not None and len(before) + len(plan.segments) == len(self.manifest.segments)
        own = self.folder / f"held-{start}.parquet"
        shards = self.bases.get(start, (own,))
        state = HeldState(IMAGES, base=shards, deltas=tuple(map(self.path, plan.segments)))
        with open_engine(read=state.paths) as engine:
            fold_later(engine, state)
            rows = engine.execute(held_rows(state, entry_columns(IMAGES))).fetchall()
        return {p.to_bytes(8, "big") + s: (md5, category, expires) for p, s, md5, category, _, expires in rows}

    def keep(self) -> None:
        """A member's own fold of the head, to catch up from later."""
        rows = [
            Row(key, 1, None, md5, category, expires)  # type: ignore[arg-type]
            for key, (md5, category, expires) in self.contents[-1].items()
        ]
        delta(self.folder, f"held-{self.manifest.version}", rows)


@pytest.mark.parametrize("seed", range(2))
def test_every_member_arrives_at_the_same_rows(tmp_path: Path, seed: int) -> None:
    """Small releases, empty ones and bursts; withdrawals and reinstatements; bases begun and adopted later."""
    chance = random.Random(seed)
    files, starts = Files(tmp_path), []
    for number in range(1, 19):
        files.release(chance, size=chance.choice((0, 1, 2, 3, 5, 30)))
        if number in (5, 12):
            files.renew()
        elif number % 3 != 1:
            files.keep()
            starts.append(files.manifest.version)
    assert len(files.manifest.segments) < 10 and files.manifest.base.version == 13
    assert any(part.withdrawals for part in files.manifest.segments)
    for held in (None, 1, 6, 13, *starts):
        assert files.caught_up(held) == files.contents[-1], held
