"""Each list that is held: up to date, expired, refused, forked, in need of a newer client; and its files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from hashshare.client.alarms import Alarm, alarms
from hashshare.client.contact import contact
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.client.doctor.patient import HeldList, Patient
from hashshare.client.spans import span
from hashshare.client.trouble import Trouble, trouble
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, UnknownRequirement

CHECK: Final = "list"
CODES: Final = {
    "expired": ExitCode.VERIFICATION,
    "refused": ExitCode.VERIFICATION,
    "gone": ExitCode.NOT_ALLOWED,
    "unchecked": ExitCode.NETWORK,
}
STAYS: Final = "It stays in use, and gets older: what was withdrawn since is still matched, what is new is missed."


def check(patient: Patient) -> Iterable[Finding]:
    if not patient.lists:
        yield warn(
            CHECK,
            "No list is held here.",
            means="Nothing can be matched.",
            do="hashshare lists, hashshare subscribe LIST, and once it is granted: hashshare sync",
        )
    for one in patient.lists:
        yield from _check_state(one, patient)


def _check_state(one: HeldList, patient: Patient) -> Iterable[Finding]:
    if one.held is None:
        return
    known, now = trouble(one.store), patient.now
    if known is not None and (special := _special(one, known, now)) is not None:
        yield special
        return
    # What witnesses have not cosigned is said once for each publisher, by its own check.
    raised = [alarm for alarm in alarms(one.store, one.held, now=now) if alarm.kind != "unwitnessed"]
    for alarm in raised:
        yield _alarmed(alarm, known, now)
    if raised:
        return
    if one.held.status == "withdrawn":
        yield warn(
            CHECK,
            f"{one.name} was closed by its publisher.",
            means="Nothing is added or withdrawn any more.",
            do=f"Remove it when you no longer need it: hashshare forget {one.name}",
            subject=one.name,
        )
        return
    met = contact(patient.home).reached_at
    asked = ""
    if met is not None and met <= now:
        asked = f" A sync last asked the hub for a newer version {span(now - met)} ago, at {write_time(met)}."
    yield good(CHECK, f"{one.name} v{one.held.version}, {one.held.entries:,} entries.{asked}", subject=one.name)


def _special(one: HeldList, known: Trouble, now: datetime) -> Finding | None:
    """What has words of its own: a fork, and a list that this program is too old for."""
    since = f"since {write_time(known.since)}, for {span(now - known.since)}"
    if known.forked:
        return bad(
            CHECK,
            f"{one.name} is forked, {since}: {known.detail}",
            means="Its feed key signed two contents of one version: it is in other hands, or misused. What is held "
            "stays in use.",
            do=known.next_step,
            exit_code=ExitCode.VERIFICATION,
            subject=one.name,
        )
    if known.kind == UnknownRequirement.slug:
        return bad(
            CHECK,
            f"{one.name} needs a newer hashshare, {since}: {known.detail}",
            means=STAYS,
            do="Upgrade: pip install --upgrade hashshare; then hashshare sync",
            exit_code=ExitCode.VERIFICATION,
            subject=one.name,
        )
    return None


def _alarmed(alarm: Alarm, known: Trouble | None, now: datetime) -> Finding:
    code = CODES[alarm.kind]
    if known is not None and alarm.kind == "refused":
        code = known.exit_code
    since = f"for {span(now - alarm.since)}, since {write_time(alarm.since)}"
    return bad(
        CHECK,
        f"{alarm.list_name} v{alarm.version}: {alarm.detail} ({since}).",
        means=STAYS,
        do=alarm.next_step,
        exit_code=code,
        subject=alarm.list_name,
    )


def check_files(patient: Patient) -> Iterable[Finding]:
    """Those that are lacking or of a wrong length, and the small ones by their digest; `verify` reads every byte."""
    for one in patient.lists:
        wrong = one.store.damaged_files(one.held)
        if not wrong:
            yield good("store", f"{one.name}: every file is there in its full length.", subject=one.name)
            continue
        more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        yield bad(
            "store",
            f"{one.name}: {wrong[0]}{more} damaged, truncated or missing.",
            means="The list cannot be searched, or not wholly, until it is whole again.",
            do=f"hashshare sync {one.name} fetches just what is lacking. Check the disk if it returns.",
            exit_code=ExitCode.VERIFICATION,
            subject=one.name,
        )
