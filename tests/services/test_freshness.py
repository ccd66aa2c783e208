"""The hub keeps signing: timestamps before they expire, snapshots before that."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from hashshare.models import Metadata
from hashshare.services.timestamps import refresh_ending, refresh_timestamps
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    return feed


def versions(role: str) -> list[int]:
    return sorted(Metadata.objects.filter(role=role).values_list("version", flat=True))


def expiry(role: str) -> datetime:
    newest = Metadata.objects.filter(role=role).order_by("-version").first()
    assert newest is not None
    return newest.expires_at


def test_it_signs_timestamps_again(images: b.Feed) -> None:
    (before,), snapshots = versions("timestamp"), versions("snapshot")
    later = b.now() + timedelta(hours=1)
    assert refresh_timestamps(now=later) == 1
    assert (versions("timestamp"), versions("snapshot")) == ([before + 1], snapshots)
    assert expiry("timestamp") > later + timedelta(hours=23)


def test_it_signs_what_would_soon_expire(images: b.Feed) -> None:
    assert refresh_ending(now=b.now() + timedelta(hours=11)) == 0
    assert refresh_ending(now=b.now() + timedelta(hours=30)) == 1
    assert expiry("timestamp") > b.now() + timedelta(hours=53)


def test_it_signs_snapshots_again_before_they_expire(images: b.Feed) -> None:
    newest = versions("snapshot")[-1]
    later = b.now() + timedelta(days=4)
    refresh_timestamps(now=later)
    assert versions("snapshot")[-1] == newest + 1
    assert expiry("snapshot") > later + timedelta(days=6)
    timestamp = json.loads(Metadata.objects.get(role="timestamp").content)
    assert timestamp["signed"]["meta"]["snapshot.json"]["version"] == newest + 1


def test_it_removes_snapshots_that_nobody_asks_for_any_more(images: b.Feed) -> None:
    assert len(versions("snapshot")) > 1
    refresh_timestamps(now=b.now() + timedelta(days=2, hours=1))
    assert len(versions("snapshot")) == 1
