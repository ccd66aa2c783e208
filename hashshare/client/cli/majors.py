"""`publisher major`, and handing in what two signed so that a large loss of entries may be published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli import passphrases, requests
from hashshare.client.cli.narration import Narrator
from hashshare.client.cli.output import Output
from hashshare.client.home import Home, checked_domain
from hashshare.client.kept import WaitingRelease
from hashshare.client.major_keys import give_major_role
from hashshare.client.majors import Submitted, submit_major
from hashshare.client.publication import Publication
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session
from hashshare.client.waiting import load_request
from hashshare.wire.errors import ExitCode
from hashshare.wire.major import Major
from hashshare.wire.repository.requests import SigningRequest, missing


def give(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")],
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Keep new keys in the clear: for trials, or on an encrypted disk.")
    ] = False,
) -> None:
    """Say whose two signatures a large withdrawal takes: your officers', or two keys made here for a trial. Once."""
    home = Home.open()
    ask = passphrases.Making(none=no_passphrase)
    session = Session.open(home, warn=out.warn)
    done = give_major_role(session, home, checked_domain(domain), ask=ask, now=datetime.now(UTC))
    proposed = requests.proposed_json(done.proposed) if done.proposed else {"job": None, "request": None}
    out.result({"publisher": domain, "keys_made": list(done.made), **proposed})
    if done.proposed is None:
        out.say(f"{domain} has a major role already; nothing changed.")
        return
    if done.proposed.path is not None:
        requests.tell(out, done.proposed)
        return
    out.say(f"{domain}: from now on large withdrawals take two signatures.")
    if done.made:
        out.say(f"Two keys for them were made in {OwnPublisher(home, domain).keys_folder}: for a trial. In real use no")
        out.say("machine holds two; with officers (publisher init --officer) each signs on their own.")


def submit_files(out: Output, session: Session, mine: OwnPublisher, copies: Sequence[SigningRequest]) -> None:
    """Publish the release that waited, or say who is missing."""
    with Narrator(out, mine.domain) as narrator:
        done = submit_major(session, mine, copies, ask=passphrases.Opening(), listener=narrator)
    out.result(
        {
            "publisher": mine.domain,
            "list": done.own.name,
            "version": done.version,
            "missing": [requests.need_json(need, done.request) for need in done.missing],
            "job": done.job.to_json() if done.job else None,
        }
    )
    _tell_submitted(out, done)


def _tell_submitted(out: Output, done: Submitted) -> None:
    if done.missing:
        out.exit_code = ExitCode.REJECTED
        out.say(f"{done.own.name} v{done.version} still waits; nothing was published.")
        out.facts(requests.lacking(done.missing, done.request))
    else:
        state = "published" if done.job else "was published before"
        out.say(f"{done.own.name} v{done.version} {state}.")


def tell_need(out: Output, publication: Publication) -> None:
    """That two must sign, after a dry run, or to carry the request to them."""
    need = publication.major
    if need is None or (publication.published and not publication.dry_run):
        return
    out.say(need.describe(publication.name))
    if publication.dry_run:
        if not need.has_role:
            out.say(f"Nobody may yet. Once: hashshare publisher major {publication.name.partition('/')[0]}")
        return
    out.exit_code = ExitCode.REJECTED
    out.say("Nothing was published yet: the release is kept here until they have signed, and then goes out as it is.")
    if publication.request is not None:
        out.facts(requests.lacking(publication.missing, load_request(publication.request)))
    out.say(f"Carry this file to them: {publication.request}")
    out.say("Each runs:  hashshare publisher sign FILE")
    out.say("Then here:  hashshare publisher submit FILE")
    out.say("Publish nothing else to this list meanwhile: that would make it void.")


def releases_json(releases: Sequence[WaitingRelease]) -> list[dict[str, Any]]:
    return [
        {
            "list": it.own.name,
            "version": it.version,
            "lost": lost_of(it.request),
            "request": str(it.path),
            "missing": [requests.need_json(need, it.request) for need in missing(it.request)],
        }
        for it in releases
    ]


def tell_releases(out: Output, releases: Sequence[WaitingRelease]) -> None:
    """What waits for two signatures, in words, with the file to carry."""
    for it in releases:
        out.say(
            f"{it.own.name}: version {it.version}, which takes {lost_of(it.request):,} entries, waits for signatures."
        )
        out.facts(requests.lacking(missing(it.request), it.request))
        out.say(f"Carry this file to them: {it.path}")
        out.say("Each runs:  hashshare publisher sign FILE")
        out.say("Then here:  hashshare publisher submit FILE")


def lost_of(request: SigningRequest) -> int:
    """Entries that the new documents of a request let go."""
    return sum(Major.parse(body).lost for body in request.documents.values())
