"""`publisher renew-base`, and what `publish` goes on with when a list's base is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import duckdb
import typer

from hashshare.client.cli.failures import explained
from hashshare.client.cli.narration import Narrator
from hashshare.client.cli.output import Output, count, error_document, size
from hashshare.client.home import Home
from hashshare.client.publisher import OwnList, find_list
from hashshare.client.rebasing import Rebuilt, prepare_base, why_renew
from hashshare.client.session import Session
from hashshare.wire.errors import HashshareError

REASONS: Final = {
    "share": "more than a fifth of the list has changed since its base",
    "withdrawals": "its base holds withdrawn entries and is older than five days",
    "unfinished": "an earlier run was cut short",
    "asked": "you asked for it",
}


def renew_base(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")],
    now: Annotated[bool, typer.Option("--now", help="Build one even if none is due.")] = False,
) -> None:
    """Build and send a list's next base if it is due; the next publication or refresh adopts it. For cron."""
    own = find_list(Home.open(), name)
    session = Session.open(own.publisher.home, warn=out.warn)
    with Narrator(out, own.name) as narrator:
        done = prepare_base(session, own, asked=now, listener=narrator)
    out.result({**done.to_json(), "damaged": narrator.damaged})
    _tell(out, done)


def go_on(out: Output, session: Session, own: OwnList, document: dict[str, Any], *, version: int) -> None:
    """After a publication: renew the base if it is due. The release is visible, so no failure here is the command's."""
    why = why_renew(own, now=datetime.now(UTC))
    if why is None:
        return
    out.say(f"v{version} is published. Building a new base: {REASONS[why]}.")
    try:
        with Narrator(out, own.name) as narrator:
            done = prepare_base(session, own, listener=narrator)
    except (HashshareError, duckdb.Error, OSError) as error:
        failure = error if isinstance(error, HashshareError) else explained(error)
        out.result({**document, "new_base": {"error": error_document(failure)}})
        out.warn(f"v{version} is published, but its new base is not ready: {failure.message}")
        out.warn(failure.next_step or "The next run tries again.")
        return
    out.result({**document, "new_base": {**done.to_json(), "damaged": narrator.damaged}})
    _tell(out, done)


def _tell(out: Output, done: Rebuilt) -> None:
    if done.version is None:
        out.say(f"The base of {done.name} is good as it is; nothing was built.")
        return
    facts = f"{count(done.entries, 'entry', 'entries')}   {count(done.shards, 'shard')}, {size(done.bytes)}"
    out.say(f"{done.name}   base at v{done.version}   {facts}   {size(done.uploaded)} uploaded")
    took = "   ".join(f"{name} {seconds:.1f} s" for name, seconds in done.stages.items() if seconds >= 0.05)
    if took:
        out.say(f"  {took}")
    out.say("It waits to be adopted: the next publish or publisher refresh does it.")
