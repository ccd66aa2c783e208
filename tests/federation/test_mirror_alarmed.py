"""Two truths, or another root: the mirror stops, serves the last good state, and goes on when an operator says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.models import MirroredPublisher
from federation.services.alarms import follow_again
from hashshare.models import Beginning, FormerMetadata, Job, Leaf, Release
from hashshare.wire import errors
from tests.builders import now
from tests.client.members.aurora import Aurora, items
from tests.federation.mirrored import Following, metadata_here, objects_here, row_of
from tests.federation.test_hostile_peer import lose_home, slug_of

ALARMED = MirroredPublisher.State.ALARMED


def again(north: Following, aurora: Aurora, fingerprint: str) -> None:
    follow_again(
        mirror=north.mirror(aurora), fingerprint=fingerprint, by="op@hub.example", reason="They called.", now=now()
    )


@pytest.fixture
def replaced(north: Following, aurora: Aurora) -> dict[str, bytes]:
    """Another first root at North, told of by its heads; what was served here before."""
    north.north.named_roots = True
    aurora.release(items(20))
    north.follow()
    files = metadata_here(aurora) | objects_here(aurora)
    aurora.begin_anew()
    aurora.release(items(1))
    (job,) = north.follow()
    assert slug_of(job.problem) == "root-replaced"
    return files


def test_another_root_stops_it(north: Following, aurora: Aurora, replaced: dict[str, bytes]) -> None:
    mirror = north.mirror(aurora)
    assert mirror.state == ALARMED
    assert slug_of(mirror.trouble) == "root-replaced"
    assert metadata_here(aurora) | objects_here(aurora) == replaced
    aurora.release(items(1))
    north.rest()
    assert north.follow(later=timedelta(hours=5)) == []


def test_a_lost_home_makes_no_difference(north: Following, aurora: Aurora, replaced: dict[str, bytes]) -> None:
    lose_home(north)
    MirroredPublisher.objects.update(state=MirroredPublisher.State.FOLLOWING, tried_at=None)
    (job,) = north.follow()
    assert slug_of(job.problem) == "root-replaced"
    assert north.mirror(aurora).state == ALARMED


def test_an_operator_has_the_new_root_followed(north: Following, aurora: Aurora, replaced: dict[str, bytes]) -> None:
    again(north, aurora, aurora.fingerprint)
    assert metadata_here(aurora) | objects_here(aurora) == replaced, "until the copy is here"
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    row = row_of(aurora)
    assert (row.publisher.root_fingerprint, row.version) == (aurora.fingerprint, aurora.version)
    assert metadata_here(aurora)["1.root.json"] == aurora.root
    beginning = Beginning.objects.get()
    assert (beginning.after, beginning.allowed_by) == (aurora.fingerprint, "op@hub.example")
    assert FormerMetadata.objects.filter(beginning=beginning, role="root").exists()
    assert Leaf.objects.filter(kind=Leaf.Kind.REPLACEMENT).count() == 1
    aurora.release(items(1))
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem


def test_the_operator_names_the_root_that_is_meant(
    north: Following, aurora: Aurora, replaced: dict[str, bytes]
) -> None:
    with pytest.raises(errors.UsageError):
        again(north, aurora, "none")
    again(north, aurora, "ab" * 32)
    (job,) = north.follow()
    assert job.state == Job.State.FAILED
    assert metadata_here(aurora) | objects_here(aurora) == replaced


def test_only_what_stopped_is_followed_again(north: Following, aurora: Aurora) -> None:
    aurora.release(items(20))
    north.follow()
    with pytest.raises(errors.Conflict):
        again(north, aurora, aurora.fingerprint)


def test_a_fork_stops_it_and_the_truth_that_was_named_is_followed(north: Following, aurora: Aurora) -> None:
    aurora.release(items(20))
    north.follow()
    files = metadata_here(aurora) | objects_here(aurora)
    version = aurora.version
    forked = aurora.manifest(version).to_bytes().replace(b'"poll_seconds":300', b'"poll_seconds":301')
    aurora.sign(forked if forked != aurora.current else aurora.manifest(version).to_bytes() + b" ")
    (job,) = north.follow()
    assert slug_of(job.problem) == "list-forked", job.problem
    assert north.mirror(aurora).state == ALARMED
    assert metadata_here(aurora) | objects_here(aurora) == files
    again(north, aurora, aurora.fingerprint)
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert Release.objects.filter(list=row_of(aurora), version=version, state=Release.State.PUBLISHED).count() == 1
    assert f"{aurora.role_version}.{aurora.list_id}.json" in metadata_here(aurora)
