"""`audit`: a publisher reads its whole delivery log and proves it; a table of it for people, CSV for their records."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hashshare.client.audit import Line, Listener, Member, Report, audit, known_releases
from hashshare.client.cli.output import Output, command, count, error_document, short
from hashshare.client.cli.public_record import read_record, record_json, tell_record
from hashshare.client.cli.successions import tell_successions
from hashshare.client.cli.witnesses import tell_witnesses
from hashshare.client.home import Home, checked_domain, split_list_name
from hashshare.client.leaves import Known, signer
from hashshare.client.logs import DeliveryLog
from hashshare.client.member_keys import MemberKeys, load_member_keys
from hashshare.client.publisher import OwnPublisher, own_list_name
from hashshare.client.session import Session
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError, NetworkError, UsageError
from hashshare.wire.log import AcknowledgementRow, DeliveryRow, RelayedRow
from hashshare.wire.plain_text import printable
from hashshare.wire.spreadsheet import Sheet

HEADINGS: Final = (
    *("index", "kind", "at", "organisation", "list", "version", "purged", "acknowledged"),
    *("manifest_sha256", "bytes", "key", "statement_sha256", "problem", "detail"),
)
SHOWN: Final = 5
KINDS: Final = {
    "delivery": "deliveries",
    "acknowledgement": "acknowledgements",
    "relayed": "acknowledgements from other hubs",
    "erasure": "erasures",
    "missing": "without opening",
}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "audit")(audit_log)


def audit_log(
    out: Output,
    name: Annotated[
        str, typer.Argument(metavar="LIST", help="Your list, or your domain for all lists; the whole log is checked.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="CSV of deliveries and acknowledgements.")
    ] = None,
    member_keys: Annotated[
        Path | None,
        typer.Option(
            "--member-keys",
            metavar="FILE",
            help="Keys as your members told you: an organisation, a fingerprint a line.",
        ),
    ] = None,
) -> None:
    """Prove your delivery log: every leaf, every opening, every signature of a member. Exit 4 tells of a problem."""
    named = load_member_keys(member_keys) if member_keys else {}
    home = Home.open()
    domain, wanted = _subject(home, name)
    session = Session.open(home)
    report = _audited(out, session, OwnPublisher(home, domain), named, output, wanted)
    if report.unexplained:
        # Openings may have been erased while the log was read; the log says so by now.
        report = _audited(out, session, OwnPublisher(home, domain), named, output, wanted)
    record = read_record(session, home, domain)
    out.result({**_report_json(domain, wanted, report, output, named), **record_json(home, domain, record)})
    tell_successions(out, home)
    _tell(out, domain, wanted, report)
    tell_record(out, home, domain, record)
    _tell_keys(out, report, named, member_keys)
    if output is not None:
        out.say(f"{output}: every delivery, acknowledgement and problem of {wanted or domain}, a row each")
    if report.problem_count:
        out.exit_code = ExitCode.VERIFICATION
        _complain(out, report)


def _audited(
    out: Output, session: Session, mine: OwnPublisher, named: MemberKeys, output: Path | None, wanted: str
) -> Report:
    """The whole log as it is now."""
    checkpoint = DeliveryLog(mine.home, mine.domain, session=session).check()
    for row in tell_witnesses(out, mine.home, session, [mine.domain]):
        out.exit_code = out.exit_code or ExitCode(row["exit_code"])
    known = replace(_known(out, session, mine), member_keys=named)
    with (
        _writing(output, wanted) as listener,
        out.bar(f"log of {mine.domain}", total=checkpoint.size, unit="leaves") as show,
    ):
        return audit(session, checkpoint, known=known, listener=listener, progress=show)


def _subject(home: Home, name: str) -> tuple[str, str]:
    """The publisher, and the list that is reported ("" for all)."""
    if "/" not in name and "." in name:
        return checked_domain(name), ""
    full_name = own_list_name(home, name)
    return split_list_name(full_name)[0], full_name


def _known(out: Output, session: Session, mine: OwnPublisher) -> Known:
    try:
        return known_releases(session, mine)
    except NetworkError:
        raise
    except HashshareError as error:
        out.warn(f"What was published could not be looked up, so versions are only compared with one another: {error}")
        return Known(mine.domain)


# --- CSV ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _writing(output: Path | None, wanted: str) -> Iterator[Listener]:
    """Takes the leaves to be reported; the file is there only once the whole log was read."""
    if output is None:
        yield lambda _: None
        return
    target = output.absolute()
    if not target.parent.is_dir() or target.is_dir():
        raise UsageError(f"{output} cannot be written: its folder does not exist, or it is a folder itself.")
    descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            sheet = Sheet(file, HEADINGS)
            yield lambda line: _add(sheet, line, wanted)
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def _add(sheet: Sheet, line: Line, wanted: str) -> None:
    """Deliveries and acknowledgements of the list that is wanted, and whatever is wrong."""
    problem = (line.problem.slug, line.problem.message) if line.problem else ("", "")
    match line.row:
        case DeliveryRow() as row if row.list_name == wanted or not wanted:
            facts = [row.version, None, row.acknowledged, row.manifest_sha256, row.bytes, row.key, None]
        case (AcknowledgementRow() | RelayedRow()) as row if row.list_name == wanted or not wanted:
            facts = [row.version, row.purged, None, row.manifest_sha256, None, row.key, row.statement_sha256]
        case _:
            if line.problem is not None:
                sheet.add([line.index if line.index >= 0 else None, line.kind, *[None] * 10, *problem])
            return
    who = row.organisation if isinstance(row, DeliveryRow) else signer(row)
    sheet.add([line.index, line.kind, write_time(row.at), who, row.list_name, *facts, *problem])


# --- words -------------------------------------------------------------------------------------------------------


def _report_json(domain: str, wanted: str, report: Report, output: Path | None, named: MemberKeys) -> dict[str, Any]:
    """`keys_compared`: whether the member's keys were known from the member itself."""
    checkpoint = report.checkpoint
    return {
        "publisher": domain,
        "list": wanted or None,
        "log": {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "leaves": dict(sorted(report.kinds.items())),
        "erased_until": write_time(report.erased_until) if report.erased_until else None,
        "members": [
            {
                "organisation": organisation,
                "list": list_name,
                "deliveries": member.deliveries,
                "acknowledgements": member.acknowledgements,
                "version": member.version or None,
                "purged": member.purged if member.version else None,
                "keys": sorted(member.keys),
                "keys_compared": organisation in named,
            }
            for (organisation, list_name), member in _members(report, wanted)
        ],
        "problem_count": report.problem_count,
        "problems": [
            {"index": line.index if line.index >= 0 else None, **error_document(line.problem)}
            for line in report.problems
            if line.problem is not None
        ],
        "file": str(output) if output else None,
    }


def _members(report: Report, wanted: str) -> list[tuple[tuple[str, str], Member]]:
    return sorted(it for it in report.members.items() if it[0][1] == wanted or not wanted)


def _tell(out: Output, domain: str, wanted: str, report: Report) -> None:
    checkpoint, kinds = report.checkpoint, report.kinds
    out.say(
        f"{domain}   log of {count(checkpoint.size, 'leaf', 'leaves')}   root {short(checkpoint.root.hex())}   "
        + ("verified" if not report.problem_count else count(report.problem_count, "problem"))
    )
    words = ", ".join(f"{number:,} {KINDS.get(kind, kind)}" for kind, number in sorted(kinds.items()))
    erased = f"; openings before {write_time(report.erased_until)} are erased" if report.erased_until else ""
    out.say(f"  {words or 'nothing logged yet'}{erased}")
    rows = [
        (organisation, list_name, count(it.deliveries), count(it.acknowledgements), *_versions(it), _keys(it))
        for (organisation, list_name), it in _members(report, wanted)
    ]
    if rows:
        headings = ("ORGANISATION", "LIST", "DELIVERIES", "ACKNOWLEDGEMENTS", "APPLIED", "PURGED", "SIGNED BY")
        out.table(headings, rows, right=(2, 3, 4, 5))


def _tell_keys(out: Output, report: Report, named: MemberKeys, file: Path | None) -> None:
    """Whose keys were compared, and what of the file could not be."""
    if file is None:
        return
    signers = {organisation for (organisation, _), it in report.members.items() if it.keys}
    compared, others = sorted(signers & named.keys()), sorted(signers - named.keys())
    out.say(f"  keys compared with {file}: {', '.join(compared) or 'none'}")
    if others:
        out.say(f"  known from the hub alone: {', '.join(others)}")
    heard_of = {organisation for organisation, _ in report.members}
    for organisation in sorted(named.keys() - heard_of):
        out.warn(f"{file} names {organisation}, of which the log has nothing. Is that its short name?")


def _versions(member: Member) -> tuple[str, str]:
    return (f"v{member.version}", f"v{member.purged}") if member.version else ("-", "-")


def _keys(member: Member) -> str:
    """A fingerprint, to be compared with the one that the member has."""
    first = next(iter(sorted(member.keys)), "-")
    return f"{first} and {len(member.keys) - 1:,} more" if len(member.keys) > 1 else first


def _complain(out: Output, report: Report) -> None:
    for line in report.problems[:SHOWN]:
        if line.problem is not None:
            where = f"leaf {line.index}" if line.index >= 0 else "erasures"
            out.errors.print(printable(f"  {where:<12} {line.problem.slug:<24} {line.problem.message}"), markup=False)
    more = report.problem_count - min(SHOWN, len(report.problems))
    if more:
        out.errors.print(f"  and {more:,} more: see the CSV (-o FILE) or --json", markup=False)
    out.warn("The hub's log does not hold what it should. Keep this report, and ask the hub's operator about it.")
