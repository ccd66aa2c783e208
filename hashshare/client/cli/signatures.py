"""`publisher signed`: what was published in a hotline's name, and what of it this machine has not signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from hashshare.client.cards import cards_folder, kept_cards
from hashshare.client.cli.desks import Domain, open_desk
from hashshare.client.cli.output import Output, count, short
from hashshare.client.publisher import OwnPublisher
from hashshare.client.signatures import Signature, officers_signatures, signatures
from hashshare.client.signers import held_keys
from hashshare.wire.errors import ExitCode

RECENT: Final = timedelta(days=30)

Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], metavar="DATE", help="Look at releases from then on (30 days)."),
]


def signed(out: Output, domain: Domain, since: Since = None) -> None:
    """What the hub published of your lists and whether this machine signed it; exit 4 for what it did not."""
    desk = open_desk(out, domain, no_passphrase=True)
    desk.stands()
    found = signatures(desk.session, desk.mine, since=moment(since, desk.now))
    officers = officers_signatures(desk.session, desk.mine)
    out.result({"publisher": domain, **signed_json(found), "officers": [row.to_json() for row in officers]})
    called = names(desk.mine)
    out.facts([(f"{row.role} {row.version}", ", ".join(map(called, row.keyids))) for row in officers])
    tell_nameless(out, desk.mine, [keyid for row in officers for keyid in row.keyids])
    tell_signed(out, desk.mine, found)
    if any(row.here is False for row in found):
        out.exit_code = ExitCode.VERIFICATION


def names(mine: OwnPublisher) -> Callable[[str], str]:
    """What to call a key id: its officer's name where a card is here."""
    known = {keyid: card.name for card in kept_cards(mine) for keyid in (card.root.keyid, card.targets.keyid)}
    return lambda keyid: known.get(keyid) or f"key {short(keyid)}"


def tell_nameless(out: Output, mine: OwnPublisher, keyids: Iterable[str]) -> None:
    """How officers' keys that are known here by their ids alone come to names."""
    known = {keyid for card in kept_cards(mine) for keyid in (card.root.keyid, card.targets.keyid)}
    own = {key.keyid for key in held_keys(mine.keys_folder)}
    if set(keyids) - known - own:
        out.say(f"For names in place of key ids, copy the officers' cards (NAME.card.json) into {cards_folder(mine)}")


def signed_json(found: list[Signature]) -> dict[str, Any]:
    return {"signatures": [row.to_json() for row in found]}


def tell_signed(out: Output, mine: OwnPublisher, found: list[Signature]) -> None:
    """What was not signed here, what it did, and the way back."""
    foreign = [row for row in found if row.here is False]
    unknown = [row for row in found if row.here is None and row.version is not None]
    if unknown:
        out.say(f"{count(len(unknown), 'release')} from before this machine kept a record; compare with your own.")
    if not foreign:
        out.say(f"Nothing was published of {mine.domain} that this machine has a record of not having signed.")
        return
    out.warn(f"{count(len(foreign), 'signature')} of {mine.domain} not made on this machine:")
    headings = ("LIST", "RELEASE", "SIGNATURE", "ADDED OR CHANGED", "WITHDRAWN", "WHEN", "KEY")
    out.table(headings, [_row(row) for row in foreign], right=(1, 2, 3, 4))
    released = [row for row in foreign if row.version is not None]
    for name in dict.fromkeys(row.name for row in released):
        last = min(row.version or 0 for row in released if row.name == name) - 1
        out.say(f"What it changed: hashshare changes {name} --since {max(last, 1)}")
        out.say(
            f"The way back:    hashshare publish {name} FILE.csv --reason incorrect --reinstate-since {max(last, 1)}"
        )


def _row(row: Signature) -> tuple[str, ...]:
    release = "refresh" if row.version is None else str(row.version)
    counts = ("", "") if row.version is None else (count(row.upserts), count(row.withdrawals))
    return (row.name, release, str(row.role_version), *counts, row.at, short(row.keyid) or "no longer served")


def moment(since: datetime | None, now: datetime) -> datetime:
    """From when on releases are looked at."""
    return now - RECENT if since is None else since.replace(tzinfo=UTC)
