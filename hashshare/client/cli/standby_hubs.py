"""`publisher standby-hub`: which other hub a publisher's root lets take over."""

from __future__ import annotations

from typing import Annotated

import typer

from hashshare.client.cli import requests
from hashshare.client.cli.desks import Domain, open_desk
from hashshare.client.cli.output import Output, short
from hashshare.client.desk import Desk, Rotated
from hashshare.client.standby_hub import compared, name_standby, offered
from hashshare.wire.errors import ExitCode, UsageError
from hashshare.wire.repository import StandbyHub, standby_hub


def choose(
    out: Output,
    domain: Domain,
    hub: Annotated[str, typer.Option("--hub", metavar="URL", help="The other hub's address.")] = "",
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", help="Of its keys, as its operator read it to you by telephone.")
    ] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Name no standby hub any more.")] = False,
) -> None:
    """Name another hub in your root, which may take over when yours is dead. Without options, say which is named."""
    if bool(hub) == remove and (hub or remove):
        raise UsageError("Either --hub URL or --remove.")
    if fingerprint and not hub:
        raise UsageError("--fingerprint goes with --hub URL.")
    desk = open_desk(out, domain, no_passphrase=True)
    if not hub and not remove:
        _show(out, desk)
        return
    chosen = offered(hub) if hub else None
    if chosen is not None and not fingerprint:
        _ask(out, desk, chosen, hub)
        return
    chosen = compared(chosen, fingerprint) if chosen else None
    _tell(out, desk, name_standby(desk, chosen), chosen)


def _show(out: Output, desk: Desk) -> None:
    stands, _ = desk.stands(root_alone=True)
    named = standby_hub(stands.root)
    out.result({"publisher": desk.mine.domain, "standby_hub": standby_json(named)})
    if named is None:
        out.say(f"The root of {desk.mine.domain} names no standby hub.")
        return
    out.say(f"The root of {desk.mine.domain} names {named.hub} as its standby hub.")
    out.fingerprint("  its keys, SHA256: ", named.fingerprint)


def _ask(out: Output, desk: Desk, found: StandbyHub, url: str) -> None:
    """Shown, and not believed: what was not compared over another channel changes nothing."""
    out.result({"publisher": desk.mine.domain, "offered": standby_json(found)})
    out.say(f"{url} calls itself {found.hub}.")
    out.fingerprint("  its keys, SHA256: ", found.fingerprint)
    out.say("Nothing was changed. Call its operator at a number that you had before, and have them read you what")
    out.say("`manage.py standby_fingerprint` shows there. Then give what you heard:")
    out.say(f"  hashshare publisher standby-hub {desk.mine.domain} --hub {url} --fingerprint FINGERPRINT")
    out.exit_code = ExitCode.USAGE


def _tell(out: Output, desk: Desk, done: Rotated, chosen: StandbyHub | None) -> None:
    proposed = requests.proposed_json(done.proposed) if done.proposed else {"job": None, "request": None}
    out.result(
        {
            "publisher": desk.mine.domain,
            "standby_hub": standby_json(chosen),
            "removed": list(done.removed),
            "added": list(done.added),
            **proposed,
        }
    )
    if done.proposed is None:
        out.say(f"Nothing to change: the root of {desk.mine.domain} says so already.")
        return
    when = "once officers have signed" if done.waits else "from now on"
    what = f"{chosen.hub} is its standby hub" if chosen else "it has no standby hub"
    out.say(f"{desk.mine.domain}: {what} {when}.")
    out.facts([*((short(keyid), "out") for keyid in done.removed), *((short(keyid), "in") for keyid in done.added)])
    if chosen is not None:
        out.say(
            f"{chosen.hub} can then hold your releases back or freeze your lists; it can forge nothing. Members see"
        )
        out.say("that it is named. It takes over only when its operator says so: agree with them when that is.")
    requests.tell(out, done.proposed)


def standby_json(named: StandbyHub | None) -> dict[str, object] | None:
    """As --json shows it."""
    return None if named is None else {"hub": named.hub, "keys": list(named.keyids), "fingerprint": named.fingerprint}
