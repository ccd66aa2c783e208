"""`publish`, `withdraw`, `release status`: what a hotline does every day."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hashshare.client.approved import approved_drafts, fetched, report
from hashshare.client.cli import audit, bases, grants, majors, passphrases, propagation, publishers
from hashshare.client.cli.narration import Narrator, tell, tell_refused
from hashshare.client.cli.output import Output, command, count
from hashshare.client.home import Home, read_json, split_list_name
from hashshare.client.hosting import refuse_hosted
from hashshare.client.publication import Publication, Wish
from hashshare.client.publish import publish
from hashshare.client.publisher import OwnList, OwnPublisher, every_list, find_list, own_list_name
from hashshare.client.session import Session
from hashshare.wire.algorithms import parse, render
from hashshare.wire.errors import BadInput, RejectedContent, UsageError
from hashshare.wire.vocabulary import REASONS

NOTHING: Final = "Nothing was published."

List = Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")]
Reason = Annotated[str | None, typer.Option("--reason", help=f"Why entries are withdrawn: {', '.join(REASONS)}.")]


def register(app: typer.Typer) -> None:
    """Add every command of hotlines to the program."""
    publishers.register(app)
    command(app, "publish")(publish_file)
    command(app, "withdraw")(withdraw)
    releases = typer.Typer(help="Releases of your lists.", no_args_is_help=True)
    command(releases, "status")(release_status)
    app.add_typer(releases, name="release")
    grants.register(app)
    propagation.register(app)
    audit.register(app)


def publish_file(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Your list; with --approved all of yours, if none.")] = "",
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="CSV with a header, NDJSON or Parquet.", show_default=False)
    ] = None,
    approved: Annotated[
        bool, typer.Option("--approved", help="Publish what two analysts agreed to in the browser, in place of a FILE.")
    ] = False,
    sha256: Annotated[
        str, typer.Option("--sha256", metavar="DIGEST", help="With --approved: only the upload with this digest.")
    ] = "",
    changes: Annotated[bool, typer.Option("--changes", help="The file holds operations, not the whole list.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; nothing is published.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out lines at fault.")] = False,
    allow_withdrawals: Annotated[
        int | None,
        typer.Option("--allow-withdrawals", metavar="N", min=0, help="The file may leave out up to N entries."),
    ] = None,
    reason: Reason = None,
    reinstate: Annotated[
        list[str] | None,
        typer.Option("--reinstate", metavar="HASH", help="A withdrawn key that is right again; repeatable."),
    ] = None,
    reinstate_since: Annotated[
        int | None,
        typer.Option(
            "--reinstate-since",
            metavar="VERSION",
            min=1,
            help="What the file holds and was withdrawn after VERSION is right again: a way back after a theft.",
        ),
    ] = None,
    renew_base: Annotated[
        bool, typer.Option("--renew-base/--no-renew-base", help="Build a new base afterwards if one is due.")
    ] = True,
) -> None:
    """Publish a file as the next version of a list. What a full file lacks is withdrawn."""
    if approved:
        _publish_approved(out, name, file, sha256=sha256, dry_run=dry_run, renew_base=renew_base)
        return
    if not name or file is None or sha256:
        raise UsageError("Name a list and a file, or say --approved.", next_step="hashshare publish LIST FILE")
    own = find_list(Home.open(), name)
    if not file.is_file():
        raise UsageError(f"{file} is a folder, not a file." if file.is_dir() else f"There is no file {file}.")
    wish = Wish(
        file=file,
        changes=changes,
        dry_run=dry_run,
        skip_bad=skip_bad,
        allow_withdrawals=allow_withdrawals,
        reason=_known_reason(reason),
        reinstate=frozenset(_keys(own, reinstate or [])),
        reinstate_since=reinstate_since,
    )
    _publish(out, own, wish, renew_base=renew_base)


def _publish_approved(
    out: Output, name: str, file: Path | None, *, sha256: str, dry_run: bool, renew_base: bool
) -> None:
    if file is not None:
        raise UsageError("--approved takes its files from the hub, not from here.")
    home = Home.open()
    lists = [find_list(home, name)] if name else every_list(home)
    session = Session.open(home, warn=out.warn)
    found = [draft for own in lists for draft in approved_drafts(session, own) if sha256 in ("", draft.sha256)]
    out.result({"approved": [draft.to_json() for draft in found]})
    if not found:
        out.say("No upload waits to be published from here.")
    for draft in found:
        out.say(
            f"{draft.own.name}   {draft.file_name}, uploaded by {draft.submitted_by}, approved by {draft.approved_by}"
        )
        out.facts([("sha256", draft.sha256)])
        with fetched(session, draft) as path:
            done = _publish(out, draft.own, draft.wish(path, dry_run=dry_run), renew_base=renew_base)
        if done.request is None and done.version is not None and not dry_run:
            report(session, draft, version=done.version)


def withdraw(
    out: Output,
    name: List,
    hashes: Annotated[list[str], typer.Argument(metavar="HASH", help="Keys of the entries, in hexadecimal.")],
    reason: Annotated[str, typer.Option("--reason", help=f"Every member reads it: {', '.join(REASONS)}.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Then watch until every member has applied it, or one is overdue.")
    ] = False,
    wait_seconds: Annotated[
        float | None, typer.Option("--wait-seconds", metavar="N", min=0, help="Like --wait, for so long at most.")
    ] = None,
) -> None:
    """Take entries back. Members lose them at their next sync; they stay out until reinstated."""
    own = find_list(Home.open(), name)
    keys = _keys(own, hashes)
    known = _known_reason(reason)
    with tempfile.TemporaryDirectory(prefix="hashshare-") as folder:
        file = Path(folder) / "withdrawals.csv"
        with file.open("w", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow(("op", "reason", own.fmt.key.name))
            rows.writerows(("withdraw", known, render(key, own.fmt.key)) for key in dict.fromkeys(keys))
        done = _publish(out, own, Wish(file=file, changes=True, reason=known, typed=True), renew_base=False)
    if done.request is None and (wait or wait_seconds is not None):
        session = Session.open(own.publisher.home)
        propagation.wait_and_tell(out, session, done, done.to_json(), patience=wait_seconds)


def _publish(out: Output, own: OwnList, wish: Wish, *, renew_base: bool) -> Publication:
    refuse_hosted(own)
    session = Session.open(own.publisher.home, warn=out.warn)
    try:
        with Narrator(out, own.name) as narrator:
            publication = publish(session, own, wish, ask=passphrases.Opening(), listener=narrator)
    except (BadInput, RejectedContent) as error:
        if not narrator.published and NOTHING not in error.message:
            error.args = (f"{error.message} {NOTHING}",)
        raise
    document = {**publication.to_json(), "damaged": narrator.damaged}
    out.result(document)
    tell(out, publication)
    majors.tell_need(out, publication)
    tell_refused(out, own.name, publication.refused)
    if renew_base and publication.version is not None and not publication.dry_run:
        bases.go_on(out, session, own, document, version=publication.version)
    return publication


def _known_reason(reason: str | None) -> str | None:
    if reason is not None and reason not in REASONS:
        raise UsageError(f"--reason {reason!r} is none of {', '.join(REASONS)}.")
    return reason


def _keys(own: OwnList, texts: Iterable[str]) -> list[bytes]:
    """Key hashes as typed, also several in one argument with commas. Raises BadHash."""
    return [parse(text, own.fmt.key) for given in texts for text in given.split(",") if text.strip()]


# --- releases ----------------------------------------------------------------------------------------------------


def release_status(out: Output, name: List) -> None:
    """What became of a list's releases: published, rejected and why, or still being verified."""
    home = Home.open()
    full_name = own_list_name(home, name)
    domain, slug = split_list_name(full_name)
    answer = Session.open(home).get_json(f"lists/{domain}/{slug}/releases")
    releases: list[dict[str, Any]] = answer["releases"] if isinstance(answer, dict) else answer
    pending = _pending(home, full_name)
    out.result({"list": full_name, "releases": releases, "pending": pending})
    out.say(f"{full_name}   {count(len(releases), 'release')}")
    if releases:
        headings = ("VERSION", "STATE", "ENTRIES", "ADDED", "WITHDRAWN", "WHEN")
        out.table(headings, [_release_row(release) for release in releases], right=(0, 2, 3, 4))
    for release in releases:
        for why in release.get("reasons") or []:
            out.say(f"  version {release.get('version')}: {_reason_text(why)}")
    if pending:
        out.say(f"Version {pending.get('version')} was handed over; run publish again to see it end.")


def _pending(home: Home, full_name: str) -> dict[str, Any] | None:
    domain, slug = split_list_name(full_name)
    mine = OwnPublisher(home, domain)
    if slug not in mine.slugs:
        return None
    return read_json(mine.pending_path(find_list(home, full_name).list_id))


def _release_row(release: dict[str, Any]) -> tuple[str, ...]:
    numbers = (release.get(key) for key in ("entries", "upserts", "withdrawals"))
    shown = ["" if number is None else count(int(number)) for number in numbers]
    when = next((str(release[key]) for key in ("published_at", "created_at", "at") if release.get(key)), "")
    return (str(release.get("version", "")), str(release.get("state", "")), *shown, re.sub(r"\.\d+Z$", "Z", when))


def _reason_text(why: Any) -> str:
    if isinstance(why, dict):
        return str(why.get("detail") or why.get("title") or why)
    return str(why)
