"""How far the signatures of served metadata are from their end."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, Q

from hashshare.models import HashList, Metadata, Organisation, Publisher
from hashshare.selectors.steps import Step, step_reached

BY_HUB: Final = ("snapshot", "timestamp")
"""Roles that the hub signs itself; all others are a hotline's."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The newest metadata of one role as it is served. `list` is None but for a list's feed."""

    publisher: Publisher
    list: HashList | None
    role: str
    version: int
    begins: datetime
    ends: datetime

    @property
    def kind(self) -> str:
        """feed, or what the role is called."""
        return "feed" if self.list is not None else self.role

    @property
    def by_hub(self) -> bool:
        return self.role in BY_HUB

    @property
    def subject(self) -> str:
        """`aurora.example/images` of a list's feed, else such as `aurora.example targets`."""
        return self.list.name if self.list is not None else f"{self.publisher.domain} {self.role}"

    def percent(self, now: datetime) -> int:
        """How much of its life is over: 100 and more is expired."""
        life = (self.ends - self.begins).total_seconds()
        return int(100 * (now - self.begins).total_seconds() / life) if life > 0 else 100

    def step(self, now: datetime) -> Step | None:
        return step_reached(self.kind, begins=self.begins, ends=self.ends, now=now)


def signatures(
    *, of: uuid.UUID | None = None, until: datetime | None = None, by_hub: bool = True, limit: int | None = None
) -> list[Signature]:
    """Those in use of publishers that are not suspended, soonest end first; of closed lists none is renewed any more,
    nor what the hub signs for a publisher that it awaits after a restore: of that the overview tells. What is copied
    from another hub is signed there.

    `of`: of this organisation alone. `until`: only those that end before. `limit`: no more than so many.
    """
    feeds = Q(list__state=HashList.State.ACTIVE, version=F("list__role_version"))
    rows = Metadata.objects.filter(Q(list=None) | feeds).exclude(
        publisher__organisation__state=Organisation.State.SUSPENDED
    )
    rows = rows.exclude(role__in=BY_HUB, publisher__awaited_since__isnull=False)
    rows = rows.filter(publisher__mirrored_from=None)
    if of is not None:
        rows = rows.filter(publisher__organisation=of)
    if not by_hub:
        rows = rows.exclude(role__in=BY_HUB)
    newest = rows.order_by("publisher_id", "role", "-version").distinct("publisher_id", "role").values("pk")
    found = Metadata.objects.filter(pk__in=newest).select_related("publisher__organisation", "list__publisher")
    if until is not None:
        found = found.filter(expires_at__lt=until)
    found = found.defer("body").order_by("expires_at", "publisher__domain", "role")
    return [
        Signature(row.publisher, row.list, row.role, row.version, row.accepted_at, row.expires_at)
        for row in found[:limit]
    ]
