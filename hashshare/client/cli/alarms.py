"""How alarms are told by every command that uses a list: a line on stderr, `alarms` under --json, the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from hashshare.client.alarms import Alarm, alarms, clock_fault
from hashshare.client.cli.output import Output
from hashshare.client.contact import contact
from hashshare.client.home import Home
from hashshare.client.store import Held, ListStore
from hashshare.wire.errors import ExitCode

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


def say_alarms(out: Output, found: Iterable[Alarm], *, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for alarm in found:
        out.warn(alarm.line(now=now))
        rows.append(alarm.to_json(now=now))
    if rows and out.exit_code == ExitCode.DONE:
        out.exit_code = ExitCode.ALARM
    return rows
