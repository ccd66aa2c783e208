"""`publisher officer` and `publisher sign`: what an officer does on a machine of their own, without a network."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client import officers
from hashshare.client.cli import passphrases
from hashshare.client.cli.layout import folded
from hashshare.client.cli.output import Output, count
from hashshare.client.cli.requests import lacking, need_json, signer_names
from hashshare.client.home import Home, write_atomic
from hashshare.client.signers import Ask, HeldKey, import_key, key_file
from hashshare.client.waiting import load_request
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, UsageError
from hashshare.wire.repository import read_role, root_fingerprint
from hashshare.wire.repository.cards import card_fingerprint
from hashshare.wire.repository.changes import describe, key_name
from hashshare.wire.repository.requests import Officer, SigningRequest, content_digest, merge, missing, needs

Requests = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="The signing request; several copies of one are merged.")
]
NoPassphrase = Annotated[
    bool, typer.Option("--no-passphrase", help="Keep new keys in the clear: for trials, or on an encrypted disk.")
]


def officer(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Yours, as the hotline knows you: 'Anna Berg'.")],
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Where to keep the keys; HOME/officer if not given.")
    ] = None,
    root_key: Annotated[str, typer.Option("--root-key", metavar="URI", help="A root key in hardware.")] = "",
    targets_key: Annotated[str, typer.Option("--targets-key", metavar="URI", help="A targets key in hardware.")] = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """Make an officer's two keys and the card that the hotline needs. Run it on a machine without a network."""
    place = (folder or default_folder()).expanduser().absolute()
    uris = {role: uri for role, uri in (("root", root_key), ("targets", targets_key)) if uri}
    card, path = officers.make_officer(place, name, uris=uris, ask=passphrases.Making(none=no_passphrase))
    fingerprint = card_fingerprint(card.officer)
    out.result({**officers.card_json(card), "folder": str(place), "card": str(path)})
    out.say(f"{card.name}'s keys are in {place}. Keep a copy elsewhere, under lock.")
    out.fingerprint("Card fingerprint  ", fingerprint)
    out.say(f"Give {path} to the hotline, and read the fingerprint to them when they have it.")


def sign(
    out: Output,
    files: Requests,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Your officer's folder; HOME/officer if not given.",
        ),
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="FILE|URI", help="A key elsewhere; may be repeated.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to; the first file if not given.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")] = False,
) -> None:
    """Show what a signing request would change, and sign it with your keys. Needs no network and uses none."""
    place, now = (folder or default_folder()).expanduser().absolute(), datetime.now(UTC)
    request = merge([load_request(path) for path in files])
    target = output or files[0]
    officers.check_life(request, now=now)
    warnings = officers.check_journal(place, request)
    ask: Ask = passphrases.Opening()
    keys = officers.keys_here([place], [_further(text, ask) for text in key or []], passed_over=out.warn)
    chosen = officers.uses(request, keys)
    _show(out, request)
    for warning in warnings:
        out.warn(warning)
    if chosen:
        if not _agreed(out, chosen, yes=yes):
            out.say("Nothing was signed.")
            out.exit_code = ExitCode.FAILED
            return
        request = officers.sign_request(request, chosen, ask=ask)
        officers.note_signed(place, request, now=now)
    elif missing(request):
        _check_signed_before(request, keys)
    if chosen or len(files) > 1 or output:
        write_atomic(target.absolute(), request.to_bytes())
    _tell(out, request, target, signed=[use.key for use in chosen], warnings=warnings)


def default_folder() -> Path:
    return Home.open().path / "officer"


def _further(text: str, ask: Ask) -> HeldKey:
    if ":" in text and not Path(text).exists():
        uri, public = import_key(text, ask)
        return HeldKey(Path(), uri, public, uri)
    return key_file(Path(text).expanduser().absolute(), ask)


def _show(out: Output, request: SigningRequest) -> None:
    """Everything that would be signed, computed from the metadata."""
    out.say(f"{request.publisher} asks for signatures:")
    for change in describe(request):
        out.say()
        out.say(f"{change.role} {change.version}   good until {write_time(change.expires)}")
        for line in change.lines:
            for part in folded(f"  {line}", out.console.width, indent=4):
                out.say(part)
    out.say()
    for person in new_officers(request):
        out.say(f"Called {person.name} in this request:")
        out.say(f"  root {key_name(person.root)} targets {key_name(person.targets)}")
        out.fingerprint("  Card fingerprint  ", card_fingerprint(person))
    if request.chain:
        out.fingerprint("Root fingerprint    ", root_fingerprint(request.chain[0]))
    out.fingerprint("Content code        ", content_digest(request))
    out.say("Read the content code to the other officers before you sign: it is the same for all.")


def new_officers(request: SigningRequest) -> list[Officer]:
    """Whose keys would come with the new root, as far as the request names them."""
    roles = request.newest("root").signed.roles
    stood = read_role("root", request.root).signed.roles if request.root else {}
    known = {keyid for role in ("root", "targets") if role in stood for keyid in stood[role].keyids}
    named = [it for it in request.officers if it.root in roles["root"].keyids and it.targets in roles["targets"].keyids]
    return [person for person in named if not {person.root, person.targets} <= known]


def _agreed(out: Output, chosen: list[officers.Use], *, yes: bool) -> bool:
    """Whether the officer agrees. Raises UsageError where nobody can be asked."""
    if yes:
        return True
    if out.as_json or not sys.stdin.isatty():
        message = "Nobody is there to confirm what is signed. Nothing was signed."
        raise UsageError(message, next_step="Run it at a terminal, or say --yes.")
    what = ", ".join(f"{' and '.join(use.roles)} with the {use.key.name} key" for use in chosen)
    return bool(typer.confirm(f"Sign {what}?", err=True))


def _check_signed_before(request: SigningRequest, keys: list[HeldKey]) -> None:
    """Nothing to do is fine for an officer who has signed already. Raises UsageError for one who is not asked."""
    signed = {keyid for need in needs(request) for keyid in need.signed}
    if not signed & {key.keyid for key in keys}:
        wanted = sorted({name for need in missing(request) for name in signer_names(need, request)})
        raise UsageError(
            "None of the keys here may sign this request. Nothing was signed.",
            next_step=f"Asked are: {', '.join(wanted)}. Name your keys with --keys FOLDER or --key FILE.",
        )


def _tell(out: Output, request: SigningRequest, path: Path, *, signed: list[HeldKey], warnings: list[str]) -> None:
    lacks = missing(request)
    first = request.chain[0] if request.chain else request.roles["root"]
    known = bool(request.chain) or not lacks
    out.result(
        {
            "publisher": request.publisher,
            "file": str(path),
            "signed_with": [{"keyid": key.keyid, "name": key.name} for key in signed],
            "content": content_digest(request),
            "fingerprint": root_fingerprint(first) if known else None,
            "changes": [_change_json(change) for change in describe(request)],
            "warnings": warnings,
            "missing": [need_json(need, request) for need in lacks],
        }
    )
    what = f"Signed with {count(len(signed), 'key')}" if signed else "Nothing more to sign with the keys here"
    out.say(f"{what}: {path}")
    if lacks:
        out.facts(lacking(lacks, request))
        out.say("Carry the file on to the others, or back to the hotline.")
        return
    if not request.chain:
        out.fingerprint("The root is complete. Its fingerprint  ", root_fingerprint(first))
    out.say("All signatures are there. At the hotline:  hashshare publisher submit FILE")


def _change_json(change: Any) -> dict[str, Any]:
    expires = write_time(change.expires)
    return {"role": change.role, "version": change.version, "expires": expires, "lines": list(change.lines)}
