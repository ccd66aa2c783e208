"""Members of other hubs, what they sign, and what their hubs report of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.models import TakenReport
from federation.reports import HubCounts, NamedMember, Path, Report, Statement, WithdrawalCount, sign_report
from federation.services.reports import take_report
from hashshare.models import Release
from hashshare.wire import keys
from hashshare.wire.log import Acknowledgement, sign_acknowledgement
from tests import builders as b
from tests.federation.builders import Hub
from tests.services.statements import digests

HERE = "127.0.0.1:8000"
HOUR = timedelta(hours=1)


@dataclass
class RemoteCobalt:
    """A member of another hub: its key, and what it says of a feed there."""

    hub: Hub
    slug: str = "cobalt"
    key: Ed25519PrivateKey = field(default_factory=keys.generate)

    def stated(self, feed: b.Feed, version: int, **changes: Any) -> Acknowledgement:
        made = Acknowledgement(
            organisation=self.slug,
            hub=self.hub.url,
            list_name=feed.row.name,
            list_id=feed.list_id,
            version=version,
            purged=0,
            manifest_sha256=digests(feed).get(version, "0" * 64),
            at=b.now(),
        )
        return replace(made, **changes)

    def statement(
        self, feed: b.Feed, version: int = 2, *, path: Path = (), received_at: datetime | None = None, **changes: Any
    ) -> Statement:
        """Signed, and as its hub passes it on."""
        document = sign_acknowledgement(self.stated(feed, version, **changes), key=self.key).decode()
        return Statement(path, received_at or b.now(), keys.public_bytes(self.key), document)

    def named(self, *, path: Path = (), **changes: Any) -> NamedMember:
        since = b.now() - timedelta(days=9)
        return replace(NamedMember(path, self.slug, "", "DE", since, None, access=True), **changes)


def count(version: int = 2, entitled: int = 1, applied: int = 0, purged: int = 0, **changes: Any) -> WithdrawalCount:
    """Served a minute ago; whoever applied it took an hour in the median, and two."""
    times = {"median_seconds": 3600, "p95_seconds": 7200} if applied else {}
    served_at = b.now() - timedelta(minutes=1)
    return WithdrawalCount(version, served_at, entitled, applied, purged, **{"overdue": 0, **times, **changes})


def counts(*withdrawals: WithdrawalCount, path: Path = (), mode: str = "documents") -> HubCounts:
    return HubCounts(path, mode, withdrawals)


def report(sender: Hub, feed: b.Feed, sequence: int = 1, **changes: Any) -> Report:
    made = Report(
        sender=sender.name,
        receiver=HERE,
        list_name=feed.row.name,
        list_id=feed.list_id,
        sequence=sequence,
        at=b.now(),
        mode="documents",
    )
    return replace(made, **changes)


def send(
    sender: Hub, made: Report, *, key: Ed25519PrivateKey | None = None, now: datetime | None = None
) -> TakenReport:
    """Signed with its peer key, or with `key`, and brought by the hub itself."""
    return take_report(caller=sender.caller, document=sign_report(made, key=key or sender.key), now=now or b.now())


def withdrawing_feed(*subscribers: b.Party) -> b.Feed:
    """Aurora's images for these, version 2 of which took an entry back."""
    feed = b.feed(b.publisher(), deadline_hours=6)
    rows = [b.entry() for _ in range(9)]
    feed.publish(feed.first(rows))
    for who in subscribers:
        b.subscribed(who, feed)
    feed.publish(feed.next([b.withdraw(rows[0])]))
    return feed


def version_2(feed: b.Feed) -> Release:
    return Release.objects.select_related("list__publisher").get(list=feed.row, version=2)


def as_party(hub: Hub) -> b.Party:
    return b.Party(hub.organisation, hub.key)
