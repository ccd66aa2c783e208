"""What is wrong with a list that stays in use all the same: expired, refused, no longer offered, not checked for days.

Dropping protection would be the worse failure, so nothing here takes a list out of use; but whatever uses it says so.
`judge` is pure; `alarms` gathers what it needs from the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hashshare.client.contact import Contact, contact
from hashshare.client.cosigned import unwitnessed
from hashshare.client.kept_metadata import expiries
from hashshare.client.spans import span
from hashshare.client.store import Held, ListStore
from hashshare.client.trouble import GONE, Trouble, trouble
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, ExpiredMetadata
from hashshare.wire.repository.metadata import TIMESTAMP_LIFE

SILENT: Final = timedelta(days=2)
"""How long a list may go unchecked: one that is synced nightly may miss a night."""
AT_ONCE: Final = (ExitCode.VERIFICATION, ExitCode.NOT_ALLOWED)
"""Failures of a sync that alarm from the first on; a broken connection or a full disk may be over at the next."""
CLOCK_TOLERANCE: Final = 60
"""Seconds of clock skew that are not worth a word; 300 make signed requests fail."""
SIGNERS: Final = {"feed": "feed key", "targets": "officers", "root": "officers"}


@dataclass(frozen=True, slots=True)
class Alarm:
    """`kind`: expired | refused | gone | unchecked | clock | unwitnessed. `since` is when it began, `role` the one that
    expired.
    """

    kind: str
    list_name: str
    version: int
    detail: str
    next_step: str
    since: datetime
    role: str = ""

    def to_json(self, *, now: datetime) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "list": self.list_name,
            "version": self.version,
            "role": self.role or None,
            "since": write_time(self.since),
            "seconds": int((now - self.since).total_seconds()),
            "detail": self.detail,
            "next_step": self.next_step,
        }

    def line(self, *, now: datetime) -> str:
        """All of it in one line, for a log."""
        told = f"{self.list_name} v{self.version}: {self.detail} (for {span(now - self.since)}, since "
        return f"{told}{write_time(self.since)}). It stays in use. {self.next_step}"


def alarms(store: ListStore, held: Held, *, now: datetime) -> tuple[Alarm, ...]:
    """Of a list that is held, by what is known here."""
    ends = expiries(store.home, held.publisher, held.list_id)
    judged = judge(held, ends=ends, met=contact(store.home), trouble=trouble(store), now=now)
    lacking = unwitnessed(store.home, held.publisher, now=now)
    if lacking is None:
        return judged
    return (*judged, _alarm("unwitnessed", held, lacking.detail, "See: hashshare witness list", lacking.since))


def judge(
    held: Held, *, ends: Mapping[str, datetime], met: Contact, trouble: Trouble | None, now: datetime
) -> tuple[Alarm, ...]:
    """The graver first. `ends`: when each role that is kept here ends; `trouble`: why the last sync of it failed.

    A hub's role that has ended here only says for how long nothing fresh came: whether the hub is silent, refused, or
    was not asked is what counts then.
    """
    # A list that was closed keeps its last signature, which nobody renews.
    roles = ("root", "targets") if held.status == "withdrawn" else ("root", "targets", "feed")
    found = [_expired(held, role, ends[role]) for role in roles if role in ends and ends[role] <= now]
    last = _last_checked(held, ends, met, now)
    if trouble is not None and trouble.kind == GONE:
        found.append(_alarm("gone", held, trouble.detail, trouble.next_step, trouble.since))
    elif trouble is not None and (trouble.exit_code in AT_ONCE or now - trouble.since > SILENT):
        kind = "expired" if trouble.kind == ExpiredMetadata.slug else "refused"
        failed = _alarm(kind, held, f"the last sync failed: {trouble.detail}", trouble.next_step, trouble.since)
        # Roles that are seen to have expired say it better.
        found += [failed] if kind == "refused" or not found else []
    elif met.failing_since is not None and now - last > SILENT:
        why = met.why.get("detail") or "The hub does not answer."
        found.append(_alarm("unchecked", held, f"it could not be checked: {why}", "Run: hashshare doctor", last))
    elif now - last > SILENT and not found:
        found.append(_alarm("unchecked", held, "it was not checked", "Run `hashshare sync`; is it in cron?", last))
    return tuple(found)


def _last_checked(held: Held, ends: Mapping[str, datetime], met: Contact, now: datetime) -> datetime:
    """When the hub was last known to say nothing else: when a sync reached it, or when it signed the newest timestamp
    that is here, which other commands fetch too; no later than that timestamp's end, since a poll alone proves nothing.
    """
    signed = ends["timestamp"] - TIMESTAMP_LIFE if "timestamp" in ends else datetime.fromisoformat(held.applied_at)
    return min(max(met.reached_at or signed, signed), ends.get("timestamp", now), now)


def _expired(held: Held, role: str, end: datetime) -> Alarm:
    detail = f"the signature of its {role} role has expired"
    step = f"{held.publisher} has to sign it anew ({SIGNERS[role]}): tell them unless `hashshare sync` brings it."
    return Alarm("expired", held.name, held.version, detail, step, end, role)


def _alarm(kind: str, held: Held, detail: str, next_step: str, since: datetime) -> Alarm:
    return Alarm(kind, held.name, held.version, detail.rstrip("."), next_step.replace("LIST", held.name), since)


# --- the clock ---------------------------------------------------------------------------------------------------


def clock_fault(met: Contact, *, now: datetime) -> str:
    """What is wrong with this machine's clock, in a sentence; "" if nothing is known to be."""
    if met.reached_at is not None and now < met.reached_at - timedelta(seconds=CLOCK_TOLERANCE):
        return f"This machine's clock is {span(met.reached_at - now)} earlier than at the last sync."
    if abs(met.skew) > CLOCK_TOLERANCE:
        way = "ahead of" if met.skew > 0 else "behind"
        return f"This machine's clock is {span(timedelta(seconds=met.skew))} {way} the hub's."
    if met.set_back > CLOCK_TOLERANCE:
        return (
            f"This machine's clock is {span(timedelta(seconds=met.set_back))} earlier than it was at an earlier sync."
        )
    return ""
