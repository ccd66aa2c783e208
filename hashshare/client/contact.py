"""When the hub last answered, and how far this machine's clock was from the hub's then: HOME/contact.json.

What is expired is judged by the local clock, so a clock that is wrong must show. The hub's word on the time is no more
than a hint: it raises a warning and decides nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hashshare.client.home import Home, read_json, write_json
from hashshare.client.session import Session
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError

FORMAT: Final = "hashshare-contact/1"
KEPT_FOR: Final = timedelta(minutes=30)
"""How old the record of a hub that answers may be: polls are frequent, and each write costs the disk a flush."""


@dataclass(frozen=True, slots=True)
class Contact:
    """`skew`: seconds by which this machine's clock was ahead of the hub's. `failing_since` and `why` (type, detail):
    of a hub that has not answered since `reached_at`. `set_back`: seconds by which the clock was earlier then than at
    the contact before. A hub whose own time agrees with it does not make that right.
    """

    reached_at: datetime | None = None
    skew: int = 0
    failing_since: datetime | None = None
    why: dict[str, str] = dataclasses.field(default_factory=dict)
    set_back: int = 0

    def to_json(self) -> dict[str, Any]:
        times = {"reached_at": self.reached_at, "failing_since": self.failing_since}
        return {
            "format": FORMAT,
            **{name: write_time(time) if time else None for name, time in times.items()},
            "skew": self.skew,
            "why": dict(self.why),
            "set_back": self.set_back,
        }


def contact(home: Home) -> Contact:
    """What is remembered; nothing where the file is missing or damaged, which the next sync mends."""
    try:
        found = read_json(home.account / "contact.json") or {}
        reached, failing = (_time(found.get(name)) for name in ("reached_at", "failing_since"))
        why, set_back = dict(found.get("why") or {}), int(found.get("set_back") or 0)
        return Contact(reached, int(found.get("skew") or 0), failing, why, set_back)
    except (HashshareError, OSError, ValueError, TypeError):
        return Contact()


def note_reached(home: Home, session: Session, *, now: datetime) -> None:
    """The hub has answered."""
    before, skew = contact(home), session.clock_skew or 0
    recent = before.reached_at is not None and timedelta(0) <= now - before.reached_at < KEPT_FOR
    if not (recent and before.failing_since is None and not before.set_back and abs(before.skew - skew) < 10):
        set_back = round((before.reached_at - now).total_seconds()) if before.reached_at else 0
        _save(home, Contact(reached_at=now, skew=skew, set_back=max(0, set_back)))


def note_failure(home: Home, session: Session, error: HashshareError, *, now: datetime) -> None:
    """The hub has not answered, or has not let us in."""
    before = contact(home)
    skew = before.skew if session.clock_skew is None else session.clock_skew
    why = {"type": error.slug, "detail": error.message}
    _save(home, Contact(before.reached_at, skew, before.failing_since or now, why, before.set_back))


def _save(home: Home, told: Contact) -> None:
    try:
        write_json(home.account / "contact.json", told.to_json())
    except OSError:
        # Without room to remember it, the sync itself counts.
        return


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) and text else None
