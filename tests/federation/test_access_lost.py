"""What the peer no longer lets this hub read is closed to members here, until it lets it again. An outage closes
nothing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.models import Agreement, MirroredList, Peer
from federation.services.agreements import agree, end_agreement
from hashshare.models import HashList
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import visible_lists
from hashshare.selectors.lists import heads
from hashshare.selectors.metadata import metadata_file
from hashshare.wire import errors
from tests.builders import member, now
from tests.client.members.aurora import Aurora, items
from tests.client.members.north import Fault
from tests.federation.mirrored import Following, reader, row_of


@pytest.fixture
def cobalt(north: Following, aurora: Aurora) -> Caller:
    aurora.release(items(5))
    north.follow()
    return reader(member(), aurora)


def may_read(caller: Caller, aurora: Aurora) -> bool:
    try:
        metadata_file(caller=caller, domain=aurora.domain, filename="timestamp.json", now=now())
    except errors.NotEntitled:
        return False
    return bool(heads(caller=caller, now=now()))


def taken_away(north: Following) -> list[Aurora]:
    """North gives nothing of Aurora's to this hub any more; everything else it answers."""
    kept, north.north.publishers = north.north.publishers, []
    return kept


def test_a_list_that_is_no_longer_given_is_closed(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    assert may_read(cobalt, aurora)
    taken_away(north)
    north.poll()
    assert row_of(aurora).closed_at is not None
    assert not may_read(cobalt, aurora)
    assert not visible_lists(caller=member("Delta Ltd").caller).exists()


def test_it_is_opened_once_it_was_copied_anew(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    kept = taken_away(north)
    north.poll()
    aurora.release(items(2))
    north.north.publishers = kept
    (job,) = north.poll(later=timedelta(minutes=11))
    assert not may_read(cobalt, aurora), "what is here may be old by now"
    assert job.state == job.State.QUEUED
    north.follow()
    assert may_read(cobalt, aurora)
    assert row_of(aurora).version == 3


def test_it_is_opened_although_nothing_is_new(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    kept = taken_away(north)
    north.poll()
    north.north.publishers = kept
    north.follow(later=timedelta(minutes=11))
    assert may_read(cobalt, aurora)


def test_it_is_opened_at_the_next_poll_once_it_is_agreed_again(
    north: Following, aurora: Aurora, cobalt: Caller
) -> None:
    """The peer says nothing new then: that it may cross again is known here alone."""
    end_agreement(peer=north.name, direction="in", publisher=aurora.domain, now=now())
    north.poll()
    assert not may_read(cobalt, aurora)
    agree(peer=north.name, direction="in", publisher=aurora.domain, now=now())
    north.follow()
    assert may_read(cobalt, aurora)


@pytest.mark.parametrize("status", [500, 503, 401, 429])
def test_a_peer_that_cannot_answer_closes_nothing(
    north: Following, aurora: Aurora, cobalt: Caller, status: int
) -> None:
    north.north.faults.append(Fault("", status=status, times=1000, headers={"Retry-After": "600"}))
    north.poll()
    assert north.peer.trouble is not None
    assert may_read(cobalt, aurora)


def test_an_agreement_that_ends_here_closes_at_once(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    Agreement.objects.update(ended_at=now())
    north.north.faults.append(Fault("", status=503, times=1000, headers={"Retry-After": "600"}))
    north.poll()
    assert not may_read(cobalt, aurora)
    assert not MirroredList.objects.get().allowed


def test_a_peer_that_is_ended_closes_all(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    Peer.objects.update(state=Peer.State.ENDED)
    north.poll()
    assert not may_read(cobalt, aurora)


def test_a_closed_list_is_not_copied(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    Agreement.objects.update(ended_at=now())
    north.poll()
    aurora.release(items(2))
    assert north.follow() == []
    assert row_of(aurora).version == 2


def test_a_withdrawn_list_stays_readable_as_withdrawn(north: Following, aurora: Aurora, cobalt: Caller) -> None:
    aurora.status = "withdrawn"
    aurora.release(items(1))
    north.follow()
    assert row_of(aurora).state == HashList.State.WITHDRAWN
    assert may_read(cobalt, aurora)
