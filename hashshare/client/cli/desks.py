"""What commands that change keys have in common: the desk at which they are changed, and how the outcome is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli import passphrases, requests
from hashshare.client.cli.output import Output, short
from hashshare.client.desk import Desk, Rotated
from hashshare.client.home import Home, checked_domain
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")]


def open_desk(out: Output, domain: str, no_passphrase: bool, *, urgent: bool = False) -> Desk:
    home = Home.open()
    mine = OwnPublisher(home, checked_domain(domain))
    ask = passphrases.Making(none=no_passphrase)
    return Desk(Session.open(home, warn=out.warn), mine, ask, datetime.now(UTC), urgent=urgent)


def tell(out: Output, desk: Desk, done: Rotated, *, what: str, more: dict[str, Any] | None = None) -> None:
    """`what` was changed, such as "feed"; `more` goes into --json."""
    proposed = requests.proposed_json(done.proposed) if done.proposed else {"job": None, "request": None}
    out.result(
        {
            "publisher": desk.mine.domain,
            "rotated": what,
            "removed": list(done.removed),
            "added": list(done.added),
            "lists": list(done.lists),
            "retired": [{"keyid": key.keyid, "kept": str(key.place)} for key in done.retired],
            **proposed,
            **(more or {}),
        }
    )
    if not done.removed and not done.added:
        out.say(f"Nothing to replace: {desk.mine.domain} stands as it should.")
    else:
        out.say(f"{desk.mine.domain}: {_state(done, what)}.")
        out.facts([*((short(keyid), "out") for keyid in done.removed), *((short(keyid), "in") for keyid in done.added)])
    if done.proposed:
        requests.tell(out, done.proposed)
    if done.waits:
        out.say("Until then the old key signs as before.")
    requests.tell_retired(out, desk.mine)


def _state(done: Rotated, what: str) -> str:
    became = "replaced" if done.added else "put out of use"
    return f"{what} keys {f'will be {became} once officers have signed' if done.waits else became}"
