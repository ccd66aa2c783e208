"""Any member, however far behind, arrives at the same rows as one who applied every release, at a bounded cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.chain import Step, catch_up, check_chain, kept_versions, merge_candidates, step
from hashshare.wire.errors import VerificationFailed
from hashshare.wire.manifest import Base, Manifest, Segment
from tests.wire.aurora import LIST_ID, base_of, manifest_of, segment_of

WITHDRAWN = None
Operations = Mapping[int, str | None]
"""Key to new row, or WITHDRAWN; a row given to a key that was withdrawn reinstates it."""


@dataclass
class History:
    """A publisher's tool that keeps the real operations beside the manifest, and the naive fold of every version.

    Every `every` releases it begins a base, which the release `later` ones after adopts.
    """

    every: int = 1_000
    later: int = 1
    columns: tuple[str, ...] = ("category", "media")
    manifest: Manifest = field(default_factory=manifest_of)
    states: list[dict[int, str]] = field(default_factory=lambda: [{}, {}])
    published: list[int] = field(default_factory=lambda: [0, 0])
    contents: dict[tuple[int, int], dict[int, str | None]] = field(default_factory=dict)
    prepared: Base | None = None

    def __post_init__(self) -> None:
        self.manifest = replace(self.manifest, columns=self.columns)

    def release(self, operations: Operations) -> None:
        version = self.manifest.version
        self.states.append(apply(self.states[-1], operations))
        self.published.append(len(operations))
        self.contents[version, version + 1] = dict(operations)
        delta = self.segment(version, version + 1)
        grown = replace(
            self.manifest,
            version=version + 1,
            entries=len(self.states[-1]),
            base=self.base(version),
            segments=(*self.manifest.segments, delta),
        )
        following = replace(grown, segments=self.merged(grown))
        self.check(step(self.manifest, following), delta)
        check_chain(following)
        self.manifest = following

    def base(self, version: int) -> Base:
        """The base of the release after `version`; begins another when it is time."""
        if self.prepared is None and version % self.every == 0 and version > self.manifest.base.version:
            entries = len(self.states[version])
            self.prepared = base_of(LIST_ID, version=version, entries=entries, bodies=[b"x" * (500 + 33 * entries)])[1]
        if self.prepared is None or version < self.prepared.version + self.later:
            return self.manifest.base
        adopted, self.prepared = self.prepared, None
        return adopted

    def check(self, taken: Step, delta: Segment) -> None:
        """The hub is told to prove this very delta, and a new base by segments that lead to it exactly."""
        assert taken.delta == delta
        if taken.base:
            state = self.states[self.manifest.base.version]
            assert self.applied(state, taken.base_deltas) == self.states[taken.base.version]

    def merged(self, grown: Manifest) -> tuple[Segment, ...]:
        kept = list(grown.segments)
        built = [self.prepared.version] if self.prepared else []
        for run in merge_candidates(kept, keep=kept_versions(grown, *built)):
            start, end = run[0].from_version, run[-1].to_version
            fold: dict[int, str | None] = {}
            for part in run:
                fold |= self.contents[part.from_version, part.to_version]
            self.contents[start, end] = fold
            place = kept.index(run[0])
            kept[place : place + len(run)] = [self.segment(start, end)]
        return tuple(kept)

    def segment(self, start: int, end: int) -> Segment:
        rows = self.contents[start, end].values()
        withdrawals = sum(row is WITHDRAWN for row in rows)
        return segment_of(LIST_ID, start, end, upserts=len(rows) - withdrawals, withdrawals=withdrawals)

    def applied(self, state: Mapping[int, str], segments: Sequence[Segment]) -> dict[int, str]:
        after = dict(state)
        for segment in segments:
            after = apply(after, self.contents[segment.from_version, segment.to_version])
        return after


def apply(state: dict[int, str], operations: Operations) -> dict[int, str]:
    after = state | {key: row for key, row in operations.items() if row is not WITHDRAWN}
    return {key: row for key, row in after.items() if operations.get(key, row) is not WITHDRAWN}


operations = st.dictionaries(st.integers(0, 40), st.sampled_from(["a", "b", WITHDRAWN]), min_size=1, max_size=3)
bursts = st.dictionaries(st.integers(0, 40), st.sampled_from(["c", WITHDRAWN]), min_size=15, max_size=40)
histories = st.lists(st.one_of(operations, operations, operations, bursts, st.just({})), min_size=1, max_size=60)


renewals = st.builds(
    History,
    every=st.integers(1, 30),
    later=st.integers(1, 5),
    columns=st.sampled_from([("category", "media"), ("category", "expires")]),
)


@settings(max_examples=150, deadline=None)
@given(histories, renewals)
def test_it_arrives_at_the_naive_fold_from_every_version_at_twice_the_operations_at_most(
    releases: list[dict[int, str | None]], history: History
) -> None:
    for operations in releases:
        history.release(operations)
        head = history.manifest.version
        for held in [None, *range(1, head + 1)]:
            plan = catch_up(history.manifest, held)
            start = history.manifest.base.version if plan.base else held
            assert start is not None
            assert history.applied(history.states[start], plan.segments) == history.states[head]
            if not plan.base:
                assert plan.operations <= 2 * sum(history.published[start + 1 :])


@settings(max_examples=60, deadline=None)
@given(histories, renewals)
def test_no_merge_reaches_back_over_the_base(releases: list[dict[int, str | None]], history: History) -> None:
    """Or what lapsed before it came back with it, and what is past it could not be counted."""
    for operations in releases:
        history.release(operations)
        base = history.manifest.base.version
        assert not [part for part in history.manifest.segments if part.from_version < base < part.to_version]
        past = [part for part in history.manifest.segments if part.to_version > base]
        assert sum(part.operations for part in past) <= sum(history.published[base + 1 :])


@settings(max_examples=100, deadline=None)
@given(histories, st.data())
def test_it_arrives_from_a_base_of_any_version(releases: list[dict[int, str | None]], data: st.DataObject) -> None:
    """A base made at an older version, even in the middle of a segment that was merged since, serves as well."""
    history = History()
    for operations in releases:
        history.release(operations)
    version = data.draw(st.integers(1, history.manifest.version))
    base = base_of(LIST_ID, version=version)[1]
    plan = catch_up(manifest_of(*history.manifest.segments, base=base), None)
    assert plan.base
    assert history.applied(history.states[version], plan.segments) == history.states[-1]


def test_it_does_not_write_a_large_segment_again_for_a_small_one() -> None:
    small, newest = segment_of(LIST_ID, 2, 3), segment_of(LIST_ID, 3, 4, upserts=6)
    assert merge_candidates([segment_of(LIST_ID, 1, 2, upserts=5), small, newest]) == ()
    assert len(merge_candidates([segment_of(LIST_ID, 1, 2, upserts=4), small, newest])) == 1


def test_it_has_nothing_to_do_at_the_head() -> None:
    manifest = manifest_of(segment_of(LIST_ID, 1, 2))
    plan = catch_up(manifest, 2)
    assert plan.is_empty and plan.bytes == 0


def test_it_takes_the_base_when_it_is_cheaper_and_the_deltas_when_they_are() -> None:
    segments = [segment_of(LIST_ID, version, version + 1, size=1_000) for version in range(1, 11)]
    _, base = base_of(LIST_ID, version=9, entries=1, bodies=[b"x" * 2_000])
    manifest = manifest_of(*segments, base=base)
    far, near = catch_up(manifest, 1), catch_up(manifest, 8)
    assert far.base and [segment.from_version for segment in far.segments] == [9, 10]
    assert far.bytes == 2_000 + base.index.length + 2_000
    assert not near.base and len(near.segments) == 3


def test_it_takes_the_base_below_the_floor() -> None:
    _, base = base_of(LIST_ID, version=5)
    manifest = manifest_of(segment_of(LIST_ID, 4, 5), segment_of(LIST_ID, 5, 6), base=base)
    assert catch_up(manifest, 3).base
    assert not catch_up(manifest, 5).base


def test_it_refuses_to_go_back() -> None:
    with pytest.raises(VerificationFailed) as refusal:
        catch_up(manifest_of(segment_of(LIST_ID, 1, 2)), 3)
    assert refusal.value.facts == {"held": 3, "offered": 2}


def test_it_leaves_a_version_that_is_kept_where_a_segment_ends() -> None:
    sizes = [1] * 40
    segments = [segment_of(LIST_ID, n, n + 1, upserts=size) for n, size in enumerate(sizes, start=1)]
    assert any(run[0].from_version < 17 < run[-1].to_version for run in merge_candidates(segments))
    runs = merge_candidates(segments, keep=(17, 30))
    assert {17, 30} <= {segment.to_version for segment in segments} - {
        segment.to_version for run in runs for segment in run[:-1]
    }
    assert any(run[-1].to_version == 17 for run in runs) and any(run[0].from_version == 17 for run in runs)
