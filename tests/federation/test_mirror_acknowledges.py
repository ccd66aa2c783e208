"""The peer reads how far this hub is in the same statements as of any organisation."""

from __future__ import annotations

from datetime import timedelta

from federation.selectors.mirrors import lags
from hashshare.models import StoredObject
from hashshare.services.objects import prune_objects
from tests.builders import now
from tests.client.members.aurora import Aurora, items
from tests.client.members.north import Fault
from tests.federation.mirrored import Following, objects_here, row_of


def told(north: Following, aurora: Aurora) -> tuple[int, int]:
    """Version and purged as North has heard them last."""
    newest = north.north.logs[aurora.domain].newest
    (stated,) = [stated for (_, list_id), stated in newest.items() if list_id == aurora.list_id]
    return stated.version, stated.purged


def test_each_copy_is_acknowledged(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.follow()
    assert told(north, aurora)[0] == 2
    aurora.release(items(5))
    north.follow()
    assert told(north, aurora)[0] == 3


def test_what_cannot_be_told_is_told_after_the_next_copy(north: Following, aurora: Aurora) -> None:
    north.north.faults.append(Fault("acknowledgements", status=500))
    aurora.release(items(5))
    (job,) = north.follow()
    assert job.state == job.State.DONE
    assert row_of(aurora).version == 2
    (job,) = north.follow(later=timedelta(hours=2))
    assert told(north, aurora)[0] == 2


def test_withdrawn_rows_count_as_purged_once_no_superseded_object_has_them(north: Following, aurora: Aurora) -> None:
    known = items(30)
    aurora.release(known)
    north.follow()
    aurora.release([], known[:2])
    aurora.merge(1, 3)
    aurora.renew_base()
    aurora.release(items(1))
    aurora.drop_segments()
    aurora.release(items(1))
    north.follow()
    assert told(north, aurora)[1] <= 1, "version 2's own segment is served on for a week, with the rows in it"
    later = now() + timedelta(days=8)
    StoredObject.objects.update(uploaded_at=now() - timedelta(days=30))
    prune_objects(now=later)
    assert not any("delta-1-2" in path for path in objects_here(aurora))
    aurora.release(items(1))
    StoredObject.objects.filter(superseded_at__isnull=False).delete()
    north.follow()
    assert told(north, aurora)[1] >= 3


def test_the_lag_is_known_here_too(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.follow()
    (lag,) = lags()
    assert (lag.list_name, lag.peer, lag.version, lag.versions, lag.behind_since) == (
        aurora.name,
        north.name,
        2,
        0,
        None,
    )
    aurora.release(items(5))
    north.poll()
    (lag,) = lags(peer=north.peer)
    assert (lag.versions, lag.offered) == (1, 3)
    assert lag.behind_since is not None
    first = lag.behind_since
    north.poll(later=timedelta(minutes=1))
    assert lags()[0].behind_since == first
    north.follow()
    assert lags()[0].behind_since is None
