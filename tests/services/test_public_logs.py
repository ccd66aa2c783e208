"""What the public sees of a delivery log: the state of the last full hour, in whole tiles, an hour like any other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hashshare.models import Leaf, Log, Publisher
from hashshare.services.logs import log_of
from hashshare.services.sealing import publish_checkpoints, seal_logs
from tests import builders as b
from tests import logs
from tests.services.test_sealing import at_once

NOON = datetime(2026, 11, 22, 12, 20, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def log(db: None) -> Log:
    b.party("hotline", "Aurora", domains=["aurora.example"])
    return log_of(Publisher.objects.get(domain="aurora.example"), now=NOON)


def public(log: Log) -> int:
    """The size that the public checkpoint signs."""
    log.refresh_from_db()
    signed = logs.opened(log, log.public_checkpoint)
    assert signed.size == log.public_size
    return signed.size


def test_nothing_is_shown_before_the_hour_is_over(log: Log) -> None:
    logs.leaves(log, 5)
    seal_logs(now=NOON)
    for moment in (NOON, NOON + 39 * MINUTE):
        assert publish_checkpoints(now=moment) == 0
        assert public(log) == 0
    assert publish_checkpoints(now=NOON + 40 * MINUTE) == 1
    assert (public(log), log.size) == (256, 256)
    assert publish_checkpoints(now=NOON + 59 * MINUTE) == 0


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([0, 0, 0], [256, 512, 768]),
        ([1, 0, 255], [256, 512, 768]),
        ([256, 256, 257], [256, 512, 1024]),
        ([900, 1], [1024, 1280]),
    ],
)
def test_every_hour_shows_whole_tiles_and_at_least_one_more(log: Log, counts: list[int], shown: list[int]) -> None:
    """So that an hour without deliveries looks like one with up to 256 of them."""
    for hour, (count, size) in enumerate(zip(counts, shown, strict=True), 1):
        logs.leaves(log, count, first=log.size)
        assert publish_checkpoints(now=NOON + hour * HOUR) == 1
        assert public(log) == size
        assert log.size == size
    held = logs.check(log)
    assert len({entry[:21] for entry in held}) == 1
    assert {len(entry) for entry in held} == {53}
    assert len(set(held)) == len(held)


def test_leaves_that_follow_come_after_the_padding(log: Log) -> None:
    logs.leaves(log, 3)
    publish_checkpoints(now=NOON + HOUR)
    logs.leaves(log, 2)
    seal_logs(now=NOON + HOUR + MINUTE)
    logs.check(log)
    assert list(Leaf.objects.order_by("pk").values_list("index", flat=True)) == [0, 1, 2, 256, 257]
    assert (public(log), log.size) == (256, 258)


def test_hours_that_were_missed_are_not_made_up_for(log: Log) -> None:
    assert publish_checkpoints(now=NOON + 9 * HOUR) == 1
    assert public(log) == 256


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_pad_once() -> None:
    b.party("hotline", "Aurora", domains=["aurora.example"])
    log = log_of(Publisher.objects.get(domain="aurora.example"), now=NOON)
    logs.leaves(log, 300)
    at_once(*[lambda: publish_checkpoints(now=NOON + HOUR)] * 4)
    assert public(log) == 512
    logs.check(log)
