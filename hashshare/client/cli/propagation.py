"""`propagation`, and what `withdraw --wait` goes on with: who has applied a withdrawal, who is overdue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import typer

from hashshare.client.cli.output import Output, command, count
from hashshare.client.home import Home
from hashshare.client.propagation import Elsewhere, Propagation, Recipient, Withdrawal, await_propagation, propagation
from hashshare.client.publication import Publication
from hashshare.client.publisher import own_list_name
from hashshare.client.session import Session
from hashshare.wire.errors import ExitCode, HashshareError, NotFound

ORDER: Final = {"overdue": 0, "waiting": 1, "applied": 2, "purged": 3, "left": 4}
"""What needs somebody's attention comes first."""
UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "propagation")(show_propagation)


def show_propagation(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")],
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", min=1, help="One withdrawal, member by member.")
    ] = None,
) -> None:
    """Which members have applied your withdrawals, which have purged the old rows, and who is overdue; at other hubs as
    well, as these report.
    """
    home = Home.open()
    full_name = own_list_name(home, name)
    seen = propagation(Session.open(home), full_name, version=version)
    out.result(seen.document)
    if version is not None:
        tell_members(out, full_name, _only(seen, version))
        return
    _tell_withdrawals(out, seen)


def _tell_withdrawals(out: Output, seen: Propagation) -> None:
    releases = count(len(seen.withdrawals), "release")
    out.say(f"{seen.name}   {releases} with withdrawals, to be applied within {count(seen.deadline_hours, 'hour')}")
    if not seen.withdrawals:
        out.say("  Nothing was withdrawn lately.")
        return
    headings = ("VERSION", "PUBLISHED", "WITHDRAWN", "MEMBERS", "APPLIED", "PURGED", "OVERDUE", "MEDIAN", "P95")
    out.table(headings, [_row(one) for one in seen.withdrawals], right=(0, 2, 3, 4, 5, 6, 7, 8))
    elsewhere = [(f"v{one.version}", *_hub_row(one, hub)) for one in seen.withdrawals for hub in one.hubs]
    if elsewhere:
        out.say("At other hubs, as these report:")
        out.table(("VERSION", *HUB_HEADINGS), elsewhere, right=(0, 3, 4, 5, 6, 7, 8))
    late = next((one for one in seen.withdrawals if one.overdue), None)
    if late is not None:
        out.say(f"Who is overdue: hashshare propagation {seen.name} --version {late.version}")


def _row(one: Withdrawal) -> tuple[str, ...]:
    numbers = (one.entries, len(one.members), one.applied, one.purged, len(one.overdue))
    return (f"v{one.version}", one.published_at, *map(count, numbers), duration(one.median), duration(one.p95))


def tell_members(out: Output, name: str, one: Withdrawal) -> None:
    """One withdrawal, member by member, the overdue first."""
    out.say(
        f"{name} v{one.version}   {count(one.entries, 'entry', 'entries')} withdrawn   "
        f"applied by {one.applied:,} of {count(len(one.members), 'member')}, purged by {one.purged:,}"
    )
    if one.median is not None:
        out.say(f"  median {duration(one.median)}, 95th percentile {duration(one.p95)} until applied")
    members = sorted(one.members, key=lambda member: (ORDER.get(member.state, 0), member.slug))
    if members:
        headings = ("ORGANISATION", "NAME", "COUNTRY", "APPLIED", "AFTER", "PURGED", "STATE")
        out.table(headings, [_member_row(one, member) for member in members], right=(4,))

    for hub in one.hubs:
        _tell_hub(out, one, hub)


HUB_HEADINGS: Final = ("HUB", "COPIED", "MEMBERS", "APPLIED", "PURGED", "OVERDUE", "MEDIAN", "P95", "BY")
BY: Final = {"documents": "signed statements", "counts": "its numbers", "": "nothing told yet"}
"""What stands behind a hub's numbers."""


def _hub_row(one: Withdrawal, hub: Elsewhere) -> tuple[str, ...]:
    """Of a hub that told nothing yet there are no numbers, which is not the same as 0."""
    copied = duration(_seconds_after(one, hub.mirrored_at)) if len(hub.path) == 1 else ""
    if not hub.evidence:
        return (hub.name, copied, *["-"] * 6, BY[""])
    numbers = map(count, (hub.entitled, hub.applied, hub.purged, hub.overdue))
    return (hub.name, copied, *numbers, duration(hub.median), duration(hub.p95), BY.get(hub.evidence, hub.evidence))


def _tell_hub(out: Output, one: Withdrawal, hub: Elsewhere) -> None:
    copied = f"copied after {duration(_seconds_after(one, hub.mirrored_at))}, " if hub.mirrored_at else ""
    if not hub.evidence:
        out.say(f"{hub.name}   {copied}told nothing of its members yet")
        return
    out.say(
        f"{hub.name}   {copied}applied by {hub.applied:,} of {count(hub.entitled, 'member')}, "
        f"purged by {hub.purged:,}, {hub.overdue:,} overdue, as it said at {hub.told_at}"
    )
    if hub.evidence == "documents":
        out.say(f"  {count(hub.stated, 'signed statement')} of its members at your hub")
    members = sorted(hub.members, key=lambda member: (ORDER.get(member.state, 0), member.slug))
    if members:
        headings = ("ORGANISATION", "NAME", "COUNTRY", "APPLIED", "AFTER", "PURGED", "STATE")
        out.table(headings, [_member_row(one, member) for member in members], right=(4,))


def _member_row(one: Withdrawal, member: Recipient) -> tuple[str, ...]:
    times = (member.applied_at or "-", _after(one, member), member.purged_at or "-")
    return (member.slug, member.name, member.country, *times, member.state)


def _after(one: Withdrawal, member: Recipient) -> str:
    return duration(_seconds_after(one, member.applied_at))


def _seconds_after(one: Withdrawal, moment: str) -> float | None:
    """None for a moment that has not come."""
    if not moment:
        return None
    taken = datetime.fromisoformat(moment) - datetime.fromisoformat(one.published_at)
    return max(0.0, taken.total_seconds())


def duration(seconds: float | None) -> str:
    """41 s, 2.5 min, 3.0 h, 1.2 d; a dash for None."""
    if seconds is None:
        return "-"
    for length, unit in UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


# --- withdraw --wait ---------------------------------------------------------------------------------------------


def wait_and_tell(
    out: Output, session: Session, publication: Publication, document: dict[str, Any], *, patience: float | None
) -> None:
    """Follow a withdrawal until every entitled member has applied it. The withdrawal stands however this ends: exit 1
    tells that somebody still matches against what was withdrawn.
    """
    version = _awaited(session, publication)
    if version is None:
        out.say("Nothing is withdrawn that members would have to apply.")
        return
    try:
        one, seen = _follow(out, session, publication.name, version, patience)
    except HashshareError as error:
        error.next_step = f"v{version} is published. See how far it got: hashshare propagation {publication.name}"
        raise
    out.result({**document, "propagation": dict(seen.document)})
    tell_members(out, publication.name, one)
    if one.awaited:
        out.exit_code = ExitCode.FAILED
        _warn_incomplete(out, publication.name, one)


def _awaited(session: Session, publication: Publication) -> int | None:
    """The version to follow. Run again after an interruption nothing is published: then it is the last withdrawal."""
    if publication.published:
        return publication.version if publication.change.withdrawn else None
    return next((one.version for one in propagation(session, publication.name).withdrawals), None)


def _follow(
    out: Output, session: Session, name: str, version: int, patience: float | None
) -> tuple[Withdrawal, Propagation]:
    told: set[str] = set()
    first = _only(propagation(session, name, version=version), version)
    if out.interactive and first.awaited:
        out.say(f"v{version} is published. Waiting for {count(first.awaited, 'member')}; Ctrl-C ends only the waiting.")
    with out.bar(f"v{version} applied by members", total=first.applied + first.awaited, unit="members") as show:

        def watch(one: Withdrawal) -> None:
            show(one.applied)
            for member in one.members:
                if member.applied_at and member.slug not in told:
                    told.add(member.slug)
                    if out.interactive:
                        out.say(f"  {member.slug} applied it after {_after(one, member)}")

        seen = await_propagation(session, name, version=version, patience=patience, watch=watch)
    return _only(seen, version), seen


def _only(seen: Propagation, version: int) -> Withdrawal:
    """That version's withdrawal. Raises NotFound."""
    found = next((one for one in seen.withdrawals if one.version == version), None)
    if found is None:
        raise NotFound(f"The hub knows of no withdrawal in version {version} of {seen.name}.")
    return found


def _warn_incomplete(out: Output, name: str, one: Withdrawal) -> None:
    late = [member.slug for member in one.overdue]
    if late:
        shown = ", ".join(late[:5]) + (f" and {len(late) - 5:,} more" if len(late) > 5 else "")
        out.warn(f"{name} v{one.version}: overdue since {one.deadline}: {shown}.")
    else:
        waiting = count(one.awaited, "member")
        out.warn(f"{name} v{one.version} is published; {waiting} had not applied it when the waiting ended.")
    out.warn(f"Look again with: hashshare propagation {name} --version {one.version}")
