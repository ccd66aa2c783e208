"""`publisher refresh`: the line in cron that keeps lists current when nothing changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli import passphrases
from hashshare.client.cli.list_failures import ListFailures
from hashshare.client.cli.narration import Narrator, tell_refused
from hashshare.client.cli.output import Output
from hashshare.client.home import Home
from hashshare.client.hosting import is_hosted
from hashshare.client.publisher import OwnList, every_list, find_list
from hashshare.client.renewal import Renewed, refresh_list
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date
from hashshare.wire.documents import write_time
from hashshare.wire.errors import NotSynced

KEPT = "Its signature is as old as before."


def refresh(
    out: Output,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="LIST...", help="Your lists; every list published from here if none.")
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Even if more than half of the signature's life is left.")] = False,
) -> None:
    """Sign the current release of your lists again before its signature expires; adopts a base that waits. Of lists
    that the hub signs, keep a copy here. For cron: says nothing when nothing is due.
    """
    home = Home.open()
    lists = [find_list(home, name) for name in names] if names else every_list(home)
    session, failures, rows = Session.open(home, warn=out.warn), ListFailures(out), list[dict[str, Any]]()
    ask = passphrases.Opening()
    for own in lists:
        try:
            with Narrator(out, own.name) as narrator:
                if is_hosted(own):
                    rows.append(_keep_copy(out, session, own, narrator))
                    continue
                done = refresh_list(
                    session, own, ask=ask, now=datetime.now(UTC), only_if_due=not now, listener=narrator
                )
        except NotSynced as error:
            if names:
                failures.add(own.name, own.list_id, error)
        except Exception as error:  # noqa: BLE001 (told with its list; the others go on)
            failures.add(own.name, own.list_id, error, kept=KEPT)
        else:
            rows.append({**_row(own, done), "damaged": narrator.damaged})
            _tell(out, own, done)
    out.result({"lists": rows, "failed": failures.rows})
    failures.settle()


def _keep_copy(out: Output, session: Session, own: OwnList, narrator: Narrator) -> dict[str, Any]:
    """Of a list that the hub signs: should the hub be lost, it is sent again what it had published."""
    with own.publisher.home.lock(f"publish-{own.list_id}"):
        held = bring_up_to_date(session, own, narrator)
    version = held.version if held else None
    if out.interactive:
        out.say(f"{own.name} is signed by the hub; a copy of v{version} is here." if held else f"{own.name} is empty.")
    return {"list": own.name, "hosted": True, "version": version, "damaged": narrator.damaged}


def _row(own: OwnList, done: Renewed) -> dict[str, Any]:
    return {
        "list": own.name,
        "role_version": done.role_version,
        "expires": write_time(done.expires),
        "adopted_base": done.base,
        "refused_base": done.refused.to_json() if done.refused else None,
        "job": done.job.to_json() if done.job else None,
    }


def _tell(out: Output, own: OwnList, done: Renewed) -> None:
    if done.base is not None:
        out.say(f"{own.name}   new base at v{done.base} adopted")
    if done.job or out.interactive:
        state = "signed again" if done.job else "fresh"
        out.say(f"{own.name} is {state}: its signature is good until {write_time(done.expires)}.")
    tell_refused(out, own.name, done.refused)
