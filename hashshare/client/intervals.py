"""How often a member's program asks the hub: no oftener than the lists that it holds allow (`poll_seconds`).

The poll is one request for everything, so the shortest interval among the lists counts. What says that an interval has
begun is the time of the empty file HOME/asked: losing it costs one poll, so nothing waits for the disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hashshare.client import trust
from hashshare.client.acknowledged import Claim, told_most
from hashshare.client.alarms import alarms
from hashshare.client.home import Home
from hashshare.client.kept_metadata import timestamp_due
from hashshare.client.notify import is_due
from hashshare.client.publisher import own_publishers
from hashshare.client.store import Held, ListStore, stores
from hashshare.client.trouble import trouble
from hashshare.wire.errors import HashshareError
from hashshare.wire.manifest import Manifest

TOLERANCE: Final = 0.9
"""Of an interval: cron starts a program a moment sooner or later."""


@dataclass(frozen=True, slots=True)
class Early:
    """The hub was asked at `asked_at`, what it had is held, and it may be asked again at `again_at`."""

    asked_at: datetime
    again_at: datetime


def note_asked(home: Home, *, now: datetime) -> None:
    """A whole sync that began then has brought everything and left nothing to be done."""
    path = home.path / "asked"
    try:
        path.touch(mode=0o600)
        os.utime(path, (now.timestamp(), now.timestamp()))
    except OSError:
        forget_asked(home)


def forget_asked(home: Home) -> None:
    """Something has come up: the next sync asks, whenever it starts."""
    (home.path / "asked").unlink(missing_ok=True)


def too_early(home: Home, *, command: str, now: datetime) -> Early | None:
    """Whether a sync would ask sooner than the lists allow; None wherever there is something to be done.

    `command` is that of --exec, which may have failed for the version held.
    """
    try:
        asked_at = datetime.fromtimestamp((home.path / "asked").stat().st_mtime, UTC)
    except OSError:
        return None
    found = stores(home)
    try:
        if not found or any(_is_pending(store, command, now) for store in found):
            return None
        shortest = min(Manifest.parse(store.manifest_bytes()).poll_seconds for store in found)
    except (HashshareError, OSError):
        return None
    again_at = asked_at + timedelta(seconds=shortest)
    waited = now - asked_at
    return Early(asked_at, again_at) if timedelta(0) <= waited < TOLERANCE * (again_at - asked_at) else None


def _is_pending(store: ListStore, command: str, now: datetime) -> bool:
    """Whether a sync has more to do for the list than to ask whether there is a newer version."""
    held = store.held()
    if held is None or trouble(store) is not None or alarms(store, held, now=now) or not store.is_whole(held):
        return True
    known = trust.publisher(store.home, held.publisher)
    if known is None or known.successor or timestamp_due(store.home, held.publisher, now=now):
        return True
    return _untold(store, held) or bool(command and is_due(store, held, command))


def _untold(store: ListStore, held: Held) -> bool:
    """Whether the hub has yet to hear that this is applied; of a list that is published from here it is not told."""
    state = told_most(store.home, store.list_id)
    if held.publisher in [mine.domain for mine in own_publishers(store.home)] or state.taken == Claim.of(held):
        return False
    return state.pending is None or state.pending.state == "pending" or state.pending.claim != Claim.of(held)
