"""How alarms are told by every command that uses a list: a line on stderr, `alarms` under --json, the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hashshare.client.alarms import Alarm, alarms, clock_fault
from hashshare.client.cli.output import Output
from hashshare.client.contact import contact
from hashshare.client.home import Home
from hashshare.client.organisation_keys import known_end
from hashshare.client.spans import span
from hashshare.client.store import Held, ListStore
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode

KEY_SOON: Final = timedelta(days=30)
JUDGED: Final = "What is expired is judged by it: set it (NTP), then sync."


def tell_alarms(out: Output, home: Home, lists: Iterable[Held]) -> list[dict[str, Any]]:
    """Tell those of the lists that were used; as --json shows them. The command then ends with ExitCode.ALARM, unless
    something graver happened.
    """
    now = datetime.now(UTC)
    found = [alarm for held in lists for alarm in alarms(ListStore(home, held.list_id), held, now=now)]
    if fault := clock_fault(contact(home), now=now):
        out.warn(f"{fault} {JUDGED}")
    return say_alarms(out, found, now=now)


def tell_key_end(out: Output, home: Home, key_id: str) -> None:
    """Say in time that this machine's key ends."""
    end, now = known_end(home, key_id), datetime.now(UTC)
    if end is not None and end - now < KEY_SOON:
        when = f"ends in {span(end - now)}" if end > now else f"ended {span(now - end)} ago"
        out.warn(f"This machine's key {when}, at {write_time(end)}; then the hub refuses it: hashshare key rotate")


def say_alarms(out: Output, found: Iterable[Alarm], *, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for alarm in found:
        out.warn(alarm.line(now=now))
        rows.append(alarm.to_json(now=now))
    if rows and out.exit_code == ExitCode.DONE:
        out.exit_code = ExitCode.ALARM
    return rows
