"""`receipts`: what the hub has logged of this organisation, fetched, proved, and kept to be shown to others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client.cli.output import Output, command, count, error_document
from hashshare.client.cli.successions import tell_successions
from hashshare.client.collecting import fetch_receipts
from hashshare.client.home import Home
from hashshare.client.logs import DeliveryLog
from hashshare.client.receipts import (
    Subject,
    Tally,
    check_file,
    check_kept,
    check_named,
    export_receipts,
    receipts_path,
    subjects,
)
from hashshare.client.session import Session
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError, NotSynced, UsageError, WrongProof
from hashshare.wire.log import AcknowledgementRow
from hashshare.wire.plain_text import printable

SEVERITY = (ExitCode.VERIFICATION, ExitCode.NOT_ALLOWED, ExitCode.NETWORK, ExitCode.FAILED, ExitCode.USAGE)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "receipts")(receipts)


def receipts(
    out: Output,
    names: Annotated[list[str] | None, typer.Argument(metavar="LIST", help="All that are held, if none.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only check the kept ones again, without the network.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FOLDER", help="Then write those of one LIST for other programs, a file each."
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            "--check", metavar="FILE", help="Only check this file, as your desk at the hub gives it; may be repeated."
        ),
    ] = None,
) -> None:
    """Fetch the proofs that your deliveries and acknowledgements are in the hub's log; check and keep them."""
    home = Home.open()
    if check:
        if names or offline or export is not None:
            raise UsageError("--check goes alone: it looks at the named files and nothing else.")
        out.result({"files": [_check_file(out, home, path) for path in check]})
        return
    chosen = _chosen(home, names or [])
    if export is not None and len(chosen) != 1:
        raise UsageError("--export writes the receipts of one list.", next_step="Name it: hashshare receipts LIST ...")
    session = None if offline else Session.open(home)
    rows = [_one(out, home, session, subject) for subject in chosen]
    tell_successions(out, home)
    out.result({"offline": offline, "lists": rows})
    if export is not None and "error" not in rows[0]:
        rows[0]["exported"] = _export(out, home, chosen[0], export)


def _check_file(out: Output, home: Home, path: Path) -> dict[str, Any]:
    """Raises at the first receipt that does not hold."""
    receipts = []
    for row, checkpoint in check_file(home, path):
        what = "acknowledged" if isinstance(row, AcknowledgementRow) else "delivered"
        out.say(f"{path}: {row.list_name} v{row.version} {what} {write_time(row.at)}, verified in {checkpoint.origin}")
        found = {"list": row.list_name, "version": row.version, "what": what, "at": write_time(row.at)}
        receipts.append({**found, "log": {"origin": checkpoint.origin, "size": checkpoint.size}})
    return {"file": str(path), "receipts": receipts}


def _export(out: Output, home: Home, subject: Subject, folder: Path) -> dict[str, Any]:
    number = export_receipts(home, subject, _log(home, subject), folder)
    out.say(f"{folder}: {count(number, 'receipt')} (.tlog-proof, .row, .nonce), the log's key in log.vkey")
    return {"folder": str(folder), "receipts": number}


def _log(home: Home, subject: Subject) -> DeliveryLog:
    return DeliveryLog(home, subject.list_name.partition("/")[0])


def _chosen(home: Home, names: list[str]) -> list[Subject]:
    """Raises NotSynced, UsageError (ambiguous)."""
    known = subjects(home)
    if not names:
        if not known:
            raise NotSynced("No list is held here yet.", next_step="hashshare sync")
        return known
    return [_choose(known, name) for name in dict.fromkeys(names)]


def _choose(known: list[Subject], name: str) -> Subject:
    found = [it for it in known if name in (it.list_name, it.list_name.partition("/")[2], it.list_id)]
    if not found:
        raise NotSynced(f"No list {name!r} is held here, nor receipts of one.")
    if len(found) > 1:
        raise UsageError(f"{name!r} may be any of {', '.join(it.list_name for it in found)}.")
    return found[0]


def _one(out: Output, home: Home, session: Session | None, subject: Subject) -> dict[str, Any]:
    """One list's receipts, told and as the document has them; what fails doesn't keep the others from being checked."""
    row: dict[str, Any] = {"name": subject.list_name, "list_id": subject.list_id}
    try:
        tally = _tally(out, home, session, subject)
        row.update(_tally_json(home, subject, tally))
        _tell(out, home, subject, tally)
        _warn_undelivered(out, subject, tally)
        _check_missing(subject, tally)
    except HashshareError as error:
        if out.debug:
            raise
        row["error"] = error_document(error)
        _fail(out, subject, error)
    return row


def _tally(out: Output, home: Home, session: Session | None, subject: Subject) -> Tally:
    check_named(home, subject)
    if session is None:
        return check_kept(home, subject, _log(home, subject))
    with out.bar(f"receipts of {subject.list_name}", total=None, unit="receipts") as show:
        return fetch_receipts(home, session, subject, progress=show)


def _tally_json(home: Home, subject: Subject, tally: Tally) -> dict[str, Any]:
    newest = tally.newest
    return {
        "receipts": tally.receipts,
        "deliveries": tally.deliveries,
        "acknowledgements": tally.acknowledgements,
        "acknowledged_version": tally.applied or None,
        "waiting": tally.waiting,
        "undelivered": tally.undelivered,
        "log": newest and {"origin": newest.origin, "size": newest.size, "root": newest.root.hex()},
        "file": str(receipts_path(home, subject.list_id)),
    }


def _tell(out: Output, home: Home, subject: Subject, tally: Tally) -> None:
    waiting = f"   {count(tally.waiting)} not sealed yet" if tally.waiting else ""
    if tally.newest is None:
        out.say(f"{subject.list_name}   no receipts yet{waiting}   the hub seals its log every minute")
        return
    acknowledged = f" up to v{tally.applied}" if tally.applied else ""
    out.say(
        f"{subject.list_name}   {count(tally.receipts, 'receipt')} verified: "
        f"{count(tally.deliveries, 'delivery', 'deliveries')}, "
        f"{count(tally.acknowledgements, 'acknowledgement')}{acknowledged}{waiting}"
    )
    if out.interactive:
        leaves = count(tally.newest.size, "leaf", "leaves")
        out.say(f"  in {tally.newest.origin}, {leaves}, root {tally.newest.root.hex()[:12]}…")
        out.say(f"  kept in {receipts_path(home, subject.list_id)}")


def _warn_undelivered(out: Output, subject: Subject, tally: Tally) -> None:
    """No proof of a lie: the version may have come from another hub, or from a copy of this home."""
    if tally.undelivered:
        versions = ", ".join(f"v{version}" for version in tally.undelivered[:5])
        more = f" and {len(tally.undelivered) - 5:,} more" if len(tally.undelivered) > 5 else ""
        out.warn(
            f"{subject.list_name}: {versions}{more} was acknowledged, and the log has no delivery of it. Unless it "
            f"came from elsewhere, the hub served it without logging that: ask its operator."
        )


def _check_missing(subject: Subject, tally: Tally) -> None:
    """Raises WrongProof when the hub took statements that its log does not know."""
    if tally.missing:
        number = count(len(tally.missing), "acknowledgement")
        raise WrongProof(
            f"{subject.list_name}: the hub took {number} that its log does not hold.",
            next_step="Ask the hub's operator; `hashshare receipts --json` names the statements.",
            statements=list(tally.missing),
        )


def _fail(out: Output, subject: Subject, error: HashshareError) -> None:
    out.errors.print(printable(f"{subject.list_name}   error: {error.message}"), style="red", markup=False)
    step = error.next_step
    if not step and error.exit_code == ExitCode.VERIFICATION:
        step = f"Nothing of it was kept. Show {subject.list_name.partition('/')[0]} what --json prints."
    if step:
        out.errors.print(f"  {printable(step)}", markup=False)
    codes = {out.exit_code, error.exit_code}
    out.exit_code = next((code for code in SEVERITY if code in codes), error.exit_code)
