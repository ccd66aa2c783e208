"""`publisher recover`: a new machine in place of one that was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client.cli.desks import Domain, open_desk, tell
from hashshare.client.cli.officers import NoPassphrase
from hashshare.client.cli.output import Output
from hashshare.client.cli.signatures import tell_nameless
from hashshare.client.recovery import Recovered, recover
from hashshare.wire.errors import UsageError
from hashshare.wire.fingerprints import parse_fingerprint


def recover_publisher(
    out: Output,
    domain: Domain,
    root: Annotated[str, typer.Option("--root", metavar="FINGERPRINT", help="From your own records, not the hub's.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FOLDER", help="A backup with the root and targets keys.")
    ] = None,
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new machine in place of one that was lost: everything but keys from the hub, verified, and a new feed key."""
    if keys is not None and not keys.is_dir():
        raise UsageError(f"There is no folder {keys}.")
    desk = open_desk(out, domain, no_passphrase)
    done = recover(desk, fingerprint=parse_fingerprint(root), backup=keys)
    tell(out, desk, done.rotated, what="feed", more=_recovered_json(done))
    _tell_recovered(out, done)
    if done.rotated.proposed is not None and done.rotated.proposed.missing:
        tell_nameless(out, desk.mine, [keyid for need in done.rotated.proposed.missing for keyid in need.unsigned])


def _recovered_json(done: Recovered) -> dict[str, Any]:
    return {
        "recovered": [own.name for own in done.lists],
        "declared": list(done.declared),
        "unknown": list(done.unknown),
    }


def _tell_recovered(out: Output, done: Recovered) -> None:
    for own in done.lists:
        how = "on the hub's word: it has no release yet" if own.name in done.declared else "as its signed manifest says"
        out.say(f"{own.name}   {how}")
    for list_id in done.unknown:
        out.warn(f"The list {list_id} is delegated, but the hub shows no list of that id.")
    if not done.rotated.waits and done.lists:
        out.say(f"Next: hashshare publish {done.lists[0].name} FILE.csv --dry-run")
