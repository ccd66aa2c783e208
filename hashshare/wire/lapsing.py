"""When an entry lapses: the one rule that every reader of entries asks, at publisher, hub, mirror and member alike.

`expires` means from 00:00 UTC of that date. It acts when entries are read and when a base is built, by the date alone,
which is signed with the entry: no job ends an entry and no message says so. It never acts when operations are merged or
judged, for a row that was dropped there would bring an older one of its key back.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from hashshare.wire.entries import ListFormat


def day_of(moment: datetime) -> date:
    """The date that counts at an aware moment, in whatever zone it is told: that of UTC."""
    return moment.astimezone(UTC).date()


def not_lapsed(fmt: ListFormat, today: date | None, *, table: str = "") -> str:
    """In SQL, the condition under which a row (of `table`) counts on `today` (UTC). None: lapsed ones count too."""
    if today is None or "expires" not in fmt.columns:
        return "true"
    expires = f"{table}.expires" if table else "expires"
    return f"{expires} IS NULL OR {expires} > DATE '{today.isoformat()}'"
