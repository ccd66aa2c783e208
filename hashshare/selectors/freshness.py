"""How far the signatures of served metadata are from their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from hashshare.models import HashList, Metadata

WARN_AT = (50, 75)
"""Percent of a feed role's life after which its publisher should have signed again."""


@dataclass(frozen=True, slots=True)
class StaleFeed:
    """`percent` of the life from acceptance to expiry that is over: 100 and more is expired."""

    list: HashList
    percent: int
    expires_at: datetime

    @property
    def urgent(self) -> bool:
        return self.percent >= WARN_AT[1]


def stale_feeds(*, now: datetime) -> list[StaleFeed]:
    """Published, unwithdrawn lists whose served feed metadata has lived half of its life or more, worst first."""
    rows = Metadata.objects.select_related("list__publisher").filter(list__state=HashList.State.ACTIVE)
    found = []
    for row in rows.filter(version=F("list__role_version")):
        life = (row.expires_at - row.accepted_at).total_seconds()
        percent = int(100 * (now - row.accepted_at).total_seconds() / life) if life > 0 else 100
        if row.list is not None and percent >= WARN_AT[0]:
            found.append(StaleFeed(row.list, percent, row.expires_at))
    return sorted(found, key=lambda feed: -feed.percent)
