"""How one manifest may follow another, and what the hub is told to prove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hashshare.wire.chain import Merge, Step, check_chain, step
from hashshare.wire.errors import MalformedManifest, RejectedContent, VersionConflict
from hashshare.wire.manifest import Manifest, Segment
from tests.wire.aurora import LIST_ID, base_of, manifest_of, segment_of


def delta(start: int, end: int, *, upserts: int = 1) -> Segment:
    return segment_of(LIST_ID, start, end, upserts=upserts)


ONE, TWO, THREE, FOUR = (delta(version, version + 1) for version in range(1, 5))
BEFORE = manifest_of(ONE, TWO, THREE)


def based_at(version: int, *segments: Segment) -> Manifest:
    return manifest_of(*segments, base=base_of(LIST_ID, version=version, entries=2, bodies=[b"x"])[1], entries=2)


def test_a_first_version_is_a_base_alone() -> None:
    first = manifest_of()
    assert step(None, first) == Step(None, (), first.base, (), ())
    with pytest.raises(VersionConflict):
        step(None, manifest_of(ONE))


def test_a_release_adds_its_delta() -> None:
    assert step(BEFORE, manifest_of(ONE, TWO, THREE, FOUR)) == Step(FOUR, (), None, (), ())


def test_a_release_may_merge_runs() -> None:
    merged = delta(1, 3, upserts=2)
    assert step(BEFORE, manifest_of(merged, THREE, FOUR)) == Step(FOUR, (Merge(merged, (ONE, TWO)),), None, (), ())


def test_a_release_may_raise_the_floor_and_adopt_an_older_base() -> None:
    after = based_at(3, THREE, FOUR)
    assert step(BEFORE, after) == Step(FOUR, (), after.base, (ONE, TWO), (ONE, TWO))


def test_a_floor_above_a_withdrawal_would_forget_it() -> None:
    gone = segment_of(LIST_ID, 2, 3, withdrawals=2)
    with pytest.raises(RejectedContent) as refusal:
        step(manifest_of(ONE, gone, THREE), based_at(3, THREE, FOUR))
    assert (refusal.value.facts["count"], refusal.value.facts["paths"]) == (2, [gone.object.path])
    assert step(manifest_of(ONE, gone, THREE), based_at(3, gone, THREE, FOUR)).dropped == (ONE,)


def test_a_base_may_be_at_the_release_itself() -> None:
    after = based_at(5, ONE, TWO, THREE, FOUR)
    assert step(BEFORE, after) == Step(FOUR, (), after.base, (ONE, TWO, THREE, FOUR), ())


def test_a_base_over_a_merged_segment_is_proved_with_the_segments_before_the_merge() -> None:
    merged = delta(1, 4, upserts=3)
    after = based_at(3, merged, FOUR)
    assert step(BEFORE, after).base_deltas == (ONE, TWO)


@pytest.mark.parametrize("version", [1, 3, 4, 6])
def test_it_rejects_another_version_than_the_next(version: int) -> None:
    with pytest.raises(VersionConflict) as refusal:
        step(BEFORE, manifest_of(*[delta(n, n + 1) for n in range(1, version)]))
    assert refusal.value.facts == {"expected": 5, "offered": version}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(manifest_of(ONE, TWO, delta(3, 5)), id="own change merged"),
        pytest.param(replace(based_at(5), version=5), id="own change missing"),
        pytest.param(manifest_of(delta(1, 2, upserts=9), TWO, THREE, FOUR), id="published segment replaced"),
        pytest.param(based_at(1, ONE, TWO, THREE, FOUR), id="base replaced at its version"),
        pytest.param(replace(manifest_of(ONE, TWO, THREE, FOUR), list_name="aurora.example/others"), id="renamed"),
        pytest.param(replace(manifest_of(ONE, TWO, THREE, FOUR), algorithms=("md5",)), id="other key"),
        pytest.param(replace(manifest_of(ONE, TWO, THREE, FOUR), scheme="ncmec"), id="other scheme"),
        pytest.param(replace(manifest_of(ONE, TWO, THREE, FOUR), columns=("media",)), id="other columns"),
    ],
)
def test_it_rejects(after: Manifest) -> None:
    with pytest.raises(MalformedManifest):
        step(BEFORE, after)


def test_it_rejects_a_segment_that_splits_one_merged_before() -> None:
    merged = delta(1, 4, upserts=3)
    for segments in ((ONE, delta(2, 4), FOUR), (delta(1, 3), THREE, FOUR)):
        with pytest.raises(MalformedManifest):
            step(manifest_of(merged), manifest_of(*segments))


def test_it_rejects_a_base_in_the_middle_of_a_merged_segment() -> None:
    merged = delta(1, 4, upserts=3)
    with pytest.raises(MalformedManifest):
        step(manifest_of(merged), based_at(3, merged, FOUR))


def test_it_rejects_a_merge_over_the_base_of_a_list_whose_entries_can_lapse() -> None:
    merged = delta(1, 4, upserts=3)
    before, after = based_at(3, ONE, TWO, THREE), based_at(3, merged, FOUR)
    assert step(before, after).merges == (Merge(merged, (ONE, TWO, THREE)),)
    with pytest.raises(MalformedManifest, match="lapse"):
        step(replace(before, columns=("expires",)), replace(after, columns=("expires",)))


def test_it_rejects_a_base_that_goes_back() -> None:
    with pytest.raises(MalformedManifest):
        step(based_at(3, ONE, TWO, THREE), based_at(2, ONE, TWO, THREE, FOUR))


def test_nothing_follows_a_withdrawn_list() -> None:
    with pytest.raises(MalformedManifest):
        step(replace(BEFORE, status="withdrawn"), manifest_of(ONE, TWO, THREE, FOUR))


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(manifest_of(ONE, THREE), id="gap"),
        pytest.param(manifest_of(ONE, delta(1, 3)), id="overlap"),
        pytest.param(manifest_of(ONE, ONE), id="twice"),
        pytest.param(manifest_of(TWO, ONE), id="backwards"),
        pytest.param(manifest_of(TWO, THREE), id="base below the floor"),
        pytest.param(based_at(4, ONE, TWO), id="base above the head"),
        pytest.param(replace(manifest_of(ONE), version=3), id="head elsewhere"),
        pytest.param(replace(based_at(2, ONE), entries=3), id="entries"),
    ],
)
def test_a_chain_has_no_gap_and_no_overlap(manifest: Manifest) -> None:
    with pytest.raises(MalformedManifest):
        check_chain(manifest)
