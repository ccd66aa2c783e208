"""How far other hubs are with a release, as an extension knows it from them: numbers, and members where they are told.

Nothing here comes from this hub's own tables; what a peer says is its word, unless a member's signature bears it out.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hashshare.extensions import extensions
from hashshare.models import Release


@dataclass(frozen=True, slots=True)
class RemoteState:
    """How far one member of another hub is; `organisation` is its slug there, `name` empty unless it may be named.

    `state`: waiting, applied, purged, overdue, or left, as of members here. By statements that the member signed.
    """

    organisation: str
    name: str
    country: str
    applied_at: datetime | None
    purged_at: datetime | None
    state: str

    @property
    def overdue(self) -> bool:
        return self.state == "overdue"


@dataclass(frozen=True, slots=True)
class HubStanding:
    """One hub and one release. `path`: the hubs from here to it, itself the last; `organisation`: what it acts as here,
    if it is a peer. `mode`: documents or counts, empty when nothing of this release was told.

    `told_at`: when its numbers arrived; `served_at`: since when its members could have the release. Seconds run from
    the publication here until applied there. `stated`: of how many members a signed statement is here.
    """

    path: tuple[str, ...]
    organisation: uuid.UUID | None = None
    mode: str = ""
    told_at: datetime | None = None
    served_at: datetime | None = None
    entitled: int = 0
    applied: int = 0
    purged: int = 0
    overdue: int = 0
    stated: int = 0
    median_seconds: float | None = None
    p95_seconds: float | None = None
    members: tuple[RemoteState, ...] = ()

    @property
    def hub(self) -> str:
        return self.path[-1]


def elsewhere(*, releases: Sequence[Release], now: datetime, members: bool) -> dict[uuid.UUID, list[HubStanding]]:
    """By release, in the order of the paths; each release with its list. `members`: whether to look for those too."""
    found: dict[uuid.UUID, list[HubStanding]] = {release.pk: [] for release in releases}
    for extension in extensions():
        for release_id, standings in extension.elsewhere(releases, now, members).items():
            found[release_id] += standings
    return {release_id: sorted(standings, key=lambda it: it.path) for release_id, standings in found.items()}
