"""`key list`, `rotate`, `add`, `revoke`: your organisation's keys at the hub, this machine's among them."""

from __future__ import annotations

import platform
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from hashshare.client import next_key, organisation_keys
from hashshare.client.cli.output import Output, command, count
from hashshare.client.home import Home
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(help="Your organisation's keys at the hub.", no_args_is_help=True)
    command(group, "list")(list_keys)
    command(group, "rotate")(rotate)
    command(group, "add")(add)
    command(group, "revoke")(revoke)
    app.add_typer(group, name="key")


def list_keys(out: Output) -> None:
    """Every key of your organisation, which of them is this machine's, and when each ends."""
    home = Home.open()
    session = Session.open(home)
    rows = organisation_keys.own_keys(session)
    organisation_keys.note_own_end(home, session, rows)
    out.result({"this_machine": session.key_id, "keys": rows})
    headings = ("KEY", "NAME", "STATE", "SINCE", "UNTIL", "LAST SEEN", "HOLDER", "")
    out.table(headings, [_row(row, session.key_id) for row in rows])


def _row(row: dict[str, Any], own: str) -> tuple[str, ...]:
    until = row.get("revoked_at") if row.get("state") == "revoked" else row.get("not_after")
    since = row.get("not_before") or row.get("created_at")
    return (
        str(row["id"])[:19] + "\N{HORIZONTAL ELLIPSIS}",
        str(row.get("name")),
        str(row.get("state")),
        str(since or "")[:10],
        str(until or "-")[:10],
        str(row.get("last_seen_at") or "-")[:16].replace("T", " "),
        str(row.get("holder") or ""),
        "this machine" if row["id"] == own else "",
    )


def rotate(
    out: Output,
    days: Annotated[int, typer.Option("--days", min=1, max=731, help="How long the new key will be good.")] = 365,
    name: Annotated[str, typer.Option("--name", help="What the hub calls it; this machine's name if not given.")] = "",
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=720, help="How long the old key still opens doors.")
    ] = 24,
    if_due: Annotated[
        int, typer.Option("--if-due", metavar="DAYS", min=0, help="Only if the key ends within so many days; for cron.")
    ] = 0,
) -> None:
    """Put a new key in the place of this machine's. Killed in between, it goes on where it stopped."""
    home = Home.open()
    session = Session.open(home)
    if if_due and next_key.unfinished(home) is None:
        end = _end_of_own(home, session)
        if end is None or end - datetime.now(UTC) > timedelta(days=if_due):
            out.result({"key": session.key_id, "rotated": False, "not_after": end.isoformat() if end else None})
            out.say(f"The key is good {f'until {end:%Y-%m-%d}' if end else 'without an end'}; nothing was changed.")
            return
    done = next_key.rotate(home, name=name or platform.node()[:200], days=days, overlap_hours=overlap_hours)
    _tell_rotated(out, done)


def _end_of_own(home: Home, session: Session) -> datetime | None:
    known = organisation_keys.known_end(home, session.key_id)
    if known is None:
        organisation_keys.note_own_end(home, session, organisation_keys.own_keys(session))
    return known or organisation_keys.known_end(home, session.key_id)


def _tell_rotated(out: Output, done: next_key.Rotated) -> None:
    out.result(
        {
            "key": done.new,
            "rotated": True,
            "not_after": done.not_after or None,
            "old": done.old,
            "old_ends_after_hours": done.overlap_hours,
            "old_told_to_end": done.left is None,
        }
    )
    until = f", good until {done.not_after[:10]}" if done.not_after else ""
    out.say(f"This machine now signs with {done.new}{until}.")
    if done.left is not None:
        out.warn(
            f"The hub could not be told that the old key ends ({done.left.message}): the next sync or "
            "`hashshare key rotate` does it."
        )
        out.exit_code = done.left.exit_code
    elif done.overlap_hours:
        out.say(f"The old key {done.old} ends in {count(done.overlap_hours, 'hour')}; it is no longer kept here.")
    else:
        out.say(f"The old key {done.old} is revoked and no longer kept here.")


def add(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the second machine's key will be called.")],
    holder: Annotated[
        str, typer.Option("--holder", metavar="E-MAIL", help="Who answers for it: one of your people at the hub.")
    ] = "",
) -> None:
    """Make a one-time code with which a second machine enrols a key of its own."""
    session = Session.open(Home.open())
    made = organisation_keys.invite_machine(session, name=name, holder=holder)
    out.result({"name": name, "hub": session.hub_url, **made})
    out.say(f"Good once, until {str(made['expires_at'])[:16]}Z. On {name} run:")
    out.say(f"  hashshare enroll {session.hub_url}/ {made['code']}")


def revoke(
    out: Output,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its id, the beginning of it, or its name if no other has it.")
    ],
    after_hours: Annotated[
        int, typer.Option("--after-hours", min=0, max=720, help="How long it still opens doors; at once if not given.")
    ] = 0,
    introduced: Annotated[
        bool, typer.Option("--introduced", help="It was stolen: also revoke every key and access key that it brought.")
    ] = False,
    keep_access_keys: Annotated[
        bool,
        typer.Option("--keep-access-keys", help="Nobody else had it: the access keys that it made go on to read."),
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Even if no key of your organisation is left to sign with.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End a key of your organisation: a machine that is gone, or a key that was stolen."""
    session = Session.open(Home.open())
    found = organisation_keys.find_key(organisation_keys.own_keys(session), key)
    own = found["id"] == session.key_id
    what = f"{found['id']} ({found['name']}{', this machine' if own else ''})"
    if not yes and not (out.interactive and typer.confirm(f"Revoke {what}? It cannot be taken back.")):
        raise UsageError("Nothing was revoked.", next_step=f"hashshare key revoke {found['id']} --yes")
    ended = organisation_keys.end_key(
        session,
        str(found["id"]),
        after_hours=after_hours,
        introduced=introduced,
        keep_access_keys=keep_access_keys,
        last=last,
    )
    out.result(ended)
    ends = f"ends in {count(after_hours, 'hour')}" if after_hours else "is revoked"
    out.say(f"{what} {ends}.")
    for row in ended.get("ended") or []:
        out.say(f"  with it {row['id']} ({row['name']}), which it had introduced")
    for row in ended.get("access_keys") or []:
        out.say(f"  with it the access key hsk_{row['prefix']} ({row['name']})")
    for row in ended.get("access_keys_left") or []:
        out.warn(
            f"The access key hsk_{row['prefix']} ({row['name']}), made with it, goes on until {row['expires_at'][:10]}."
        )
    for row in ended.get("left") or []:
        out.warn(f"It had introduced {row['id']} ({row['name']}), which goes on: revoke it too if it was stolen.")
    if own:
        out.warn("This machine can no longer reach the hub; what it holds stays in use and gets older.")
