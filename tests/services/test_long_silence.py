"""A hub that was down for days: whatever expired is signed again by itself, and members go on from where they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from tuf.api.exceptions import DownloadHTTPError, ExpiredMetadataError
from tuf.ngclient import FetcherInterface, Updater

from hashshare import tasks
from hashshare.models import Metadata
from hashshare.selectors.metadata import metadata_file
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db


class Served(FetcherInterface):
    """What the hub would answer to a member."""

    def __init__(self, member: b.Party) -> None:
        self.member = member

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = urlsplit(url).path.rpartition("/")[2]
        try:
            found = metadata_file(caller=self.member.caller, domain="aurora.example", filename=name, now=b.now())
        except errors.NotFound as error:
            raise DownloadHTTPError(name, 404) from error
        yield found.content


def refreshed(folder: Path, member: b.Party, root: bytes) -> int:
    """The version of the timestamp that an unmodified client then trusts."""
    updater = Updater(
        str(folder), "http://north/metadata/", target_base_url="http://north/", fetcher=Served(member), bootstrap=root
    )
    updater.refresh()
    return int(updater._trusted_set.timestamp.version)


@pytest.mark.parametrize("days", [2, 6, 13])
def test_it_recovers_by_itself_and_so_do_members(tmp_path: Path, days: int) -> None:
    """Timestamps live a day, snapshots seven, feeds fourteen; the member kept those of the day the hub fell silent."""
    feed, cobalt = b.feed(b.publisher()), b.member()
    feed.publish(feed.first([b.entry()]))
    b.subscribed(cobalt, feed)
    before = refreshed(tmp_path, cobalt, feed.publisher.root)
    with time_machine.travel(b.now() + timedelta(days=days)):
        with pytest.raises(ExpiredMetadataError):
            refreshed(tmp_path, cobalt, feed.publisher.root)
        tasks.refresh_ending()
        assert refreshed(tmp_path, cobalt, feed.publisher.root) > before
        newest = Metadata.objects.filter(role="snapshot").order_by("-version")[0]
        assert newest.expires_at > b.now() + timedelta(days=3)
