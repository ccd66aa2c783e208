"""`publisher submit` and `publisher sign-request`: new metadata on its way to the officers and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client.anew import every_waiting, is_beginning, submit_beginning, waiting_beginning
from hashshare.client.ceremony import Proposed, submit
from hashshare.client.cli import majors, passphrases
from hashshare.client.cli.output import Output
from hashshare.client.home import Home, checked_domain, write_atomic
from hashshare.client.kept import WaitingRelease, waiting_releases
from hashshare.client.keyring import retired_keys
from hashshare.client.majors import is_of_major
from hashshare.client.publisher import OwnPublisher, own_publishers
from hashshare.client.renewal import renew_publisher
from hashshare.client.resending import resend
from hashshare.client.resent_majors import keep_signed, waiting_resent
from hashshare.client.session import Session
from hashshare.client.standing import standing
from hashshare.client.waiting import drop_request, load_request, open_request, request_path
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, UsageError
from hashshare.wire.repository import read_role, root_fingerprint
from hashshare.wire.repository.changes import key_name
from hashshare.wire.repository.requests import Need, SigningRequest, missing


def submit_files(
    out: Output,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The signed request; copies signed side by side are merged.")
    ],
) -> None:
    """Hand in what officers signed. Takes effect once enough signatures are there; until then, says who is missing and
    ends with exit code 6.
    """
    home, copies = Home.open(), [load_request(path) for path in files]
    mine = OwnPublisher(home, copies[0].publisher)
    if mine.domain not in [own.domain for own in own_publishers(home)]:
        raise UsageError(
            f"The request is of {mine.domain}, which is not published from this machine. Nothing was changed.",
            next_step="Submit it where it was made.",
        )
    session = Session.open(home, warn=out.warn)
    if is_of_major(copies) and (path := waiting_resent(mine, copies)) is not None:
        _submit_resent(out, session, mine, path, copies)
        return
    if is_of_major(copies):
        majors.submit_files(out, session, mine, copies)
        return
    hand_in = submit_beginning if (anew := is_beginning(mine, copies)) else submit
    with home.lock(f"publisher-{mine.domain}"):
        done = hand_in(session, mine, copies, ask=passphrases.to_open, now=datetime.now(UTC))
    fingerprint = root_fingerprint(mine.root_path.read_bytes()) if mine.root_path.exists() else None
    out.result({"publisher": mine.domain, "fingerprint": fingerprint, **proposed_json(done)})
    if done.path is not None:
        out.exit_code = ExitCode.REJECTED
        tell(out, done)
        return
    state = "accepted by the hub" if done.job else "accepted before; nothing changed"
    out.say(f"{mine.domain}: {', '.join(versions(done.request))} {state}.")
    if fingerprint and not done.request.chain:
        tell_fingerprint(out, fingerprint)
    if anew:
        tell_begun(out, mine)
        return
    tell_retired(out, mine)


def _submit_resent(
    out: Output, session: Session, mine: OwnPublisher, path: Path, copies: Sequence[SigningRequest]
) -> None:
    """What a restored hub wants signed for anew; then it is sent all that it lacks."""
    request = keep_signed(mine, path, copies)
    lacks = missing(request)
    if not lacks:
        resend(session, mine)
    done = Proposed(request, path=path if lacks else None, missing=lacks)
    out.result({"publisher": mine.domain, **proposed_json(done)})
    if lacks:
        out.exit_code = ExitCode.REJECTED
        tell(out, done)
        return
    out.say(f"{mine.domain}: the hub has everything again and serves it to members.")


def sign_request(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")],
    root: Annotated[bool, typer.Option("--root", help="Renew the root too, even if it is not due.")] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make a renewal, though a large withdrawal waits for signatures.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget the request that waits.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write it here as well, onto a stick.")
    ] = None,
) -> None:
    """The signing requests that wait for officers, those of large withdrawals too; if none does, one to renew targets,
    and the root when it is due.
    """
    home, now = Home.open(), datetime.now(UTC)
    mine, session = OwnPublisher(home, checked_domain(domain)), Session.open(home, warn=out.warn)
    waiting, releases = waiting_beginning(mine, now=now), waiting_releases(mine)
    if waiting is not None:
        mine = mine.beginning
    else:
        waiting = open_request(mine, standing(session, mine), now=now)
    if drop:
        _drop(out, mine, waiting)
        majors.tell_releases(out, releases)
        return
    if waiting is None and releases and not (renew or root):
        _releases_alone(out, mine, releases, output)
        return
    if waiting is None:
        done = renew_publisher(session, home, domain, ask=passphrases.to_open, now=now, with_root=root, sign=False)
    else:
        done = Proposed(waiting, path=request_path(mine, waiting), missing=missing(waiting))
    if output is not None:
        write_atomic(output.absolute(), done.request.to_bytes())
    out.result({"publisher": domain, **proposed_json(done), "releases": majors.releases_json(releases)})
    tell(out, done)
    majors.tell_releases(out, releases)


def _releases_alone(out: Output, mine: OwnPublisher, releases: list[WaitingRelease], output: Path | None) -> None:
    """Large withdrawals wait and no change of keys does: these are the requests, and no renewal is put beside them."""
    if output is not None and len(releases) > 1:
        raise UsageError(
            "Several releases wait for signatures, each with a request of its own. Nothing was written.",
            next_step="Copy them: " + " ".join(str(it.path) for it in releases),
        )
    if output is not None:
        write_atomic(output.absolute(), releases[0].request.to_bytes())
    nothing: dict[str, Any] = {"job": None, "request": None, "missing": [], "roles": {}}
    out.result({"publisher": mine.domain, **nothing, "releases": majors.releases_json(releases)})
    majors.tell_releases(out, releases)
    out.say(f"To renew what expires as well:  hashshare publisher sign-request {mine.domain} --renew")


def _drop(out: Output, mine: OwnPublisher, waiting: SigningRequest | None) -> None:
    if waiting is not None:
        drop_request(mine, waiting)
    dropped = versions(waiting) if waiting else []
    out.result({"publisher": mine.domain, "dropped": dropped})
    out.say(f"{mine.domain}: {', '.join(dropped)} dropped." if dropped else f"{mine.domain}: no request waits.")
    if dropped:
        out.say("Destroy its copies: what officers signed of it could still be handed in.")


def tell_waiting(out: Output, home: Home) -> list[dict[str, Any]]:
    """For `status`: the requests of one's own publishers that wait for officers."""
    rows: list[dict[str, Any]] = []
    for mine in own_publishers(home):
        for path, request in every_waiting(mine):
            lacks = missing(request)
            out.warn(f"{mine.domain}: {', '.join(versions(request))} waits for its officers ({path}).")
            out.facts(lacking(lacks, request))
            rows.append({"publisher": mine.domain, **proposed_json(Proposed(request, path=path, missing=lacks))})
    return rows


# --- words -------------------------------------------------------------------------------------------------------


def proposed_json(done: Proposed) -> dict[str, Any]:
    """What became of a change: {"job", "request", "missing", "roles"}."""
    files = [read_role(role, body) for role, body in done.request.roles.items()]
    return {
        "job": done.job.to_json() if done.job else None,
        "request": str(done.path) if done.path else None,
        "missing": [need_json(need, done.request) for need in done.missing],
        "roles": {file.role: {"version": file.version, "expires": write_time(file.expires)} for file in files},
    }


def versions(request: SigningRequest) -> list[str]:
    """Such as ["root 2", "targets 3"]."""
    return [_version(role, request) for role in sorted(request.roles)]


def tell(out: Output, done: Proposed) -> None:
    """For people: what has to be done before the change takes effect; nothing when it has."""
    if done.path is None:
        return
    out.say("Nothing has changed yet: officers have to sign.")
    out.facts(lacking(done.missing, done.request))
    out.say(f"Carry this file to them: {done.path}")
    out.say("Each runs:  hashshare publisher sign FILE")
    out.say("Then here:  hashshare publisher submit FILE")


def tell_fingerprint(out: Output, fingerprint: str) -> None:
    """What members will check a publisher by."""
    out.fingerprint("Root fingerprint, SHA256: ", fingerprint)
    out.say("Publish it where members can check it without the hub: letterhead, web site, telephone.")


def tell_begun(out: Output, mine: OwnPublisher) -> None:
    """What a publisher that began anew still has to do."""
    out.say("Every member refuses this root, with an alarm, until a person there has named it. Call each of them, read")
    out.say(f"them the fingerprint, and have them run: hashshare pin {mine.domain} FINGERPRINT --replace, then sync.")
    out.say("Who took it up shows in: hashshare propagation LIST. Majors begin again: hashshare publisher major DOMAIN")
    tell_retired(out, mine)


def tell_retired(out: Output, mine: OwnPublisher) -> None:
    """Private keys that were replaced and are still here."""
    for key in retired_keys(mine):
        out.say(f"Destroy the old key, and every copy of it: {key.place}")


def lacking(needs: Sequence[Need], request: SigningRequest) -> list[tuple[str, str]]:
    """Role and who can still sign it, in two columns; a new root that needs the old keys and others tells both."""
    told = dict.fromkeys((_version(need.role, request), need.by, _who(need, request)) for need in needs)
    twice = len({(role, who) for role, _, who in told}) > len({role for role, _, _ in told})
    if not twice:
        return list(dict.fromkeys((role, who) for role, _, who in told))
    return [(f"{role}, by the keys of {by}", who) for role, by, who in told]


def _version(role: str, request: SigningRequest) -> str:
    return f"{role} {read_role(role, request.roles[role]).version}"


def _who(need: Need, request: SigningRequest) -> str:
    others = ", ".join(signer_names(need, request))
    return f"{len(need.signed)} of {need.threshold} have signed; {need.missing} more of: {others}"


def signer_names(need: Need, request: SigningRequest) -> list[str]:
    """Who has not signed, by name where the request knows one."""
    known = _names(request)
    return sorted(known.get(keyid) or key_name(keyid) for keyid in need.unsigned)


def need_json(need: Need, request: SigningRequest) -> dict[str, Any]:
    known = _names(request)
    unsigned = [{"keyid": keyid, "name": known.get(keyid, "")} for keyid in need.unsigned]
    return {"role": need.role, "by": need.by, "need": need.threshold, "have": len(need.signed), "unsigned": unsigned}


def _names(request: SigningRequest) -> dict[str, str]:
    by_root = {officer.root: officer.name for officer in request.officers}
    return by_root | {officer.targets: officer.name for officer in request.officers}
