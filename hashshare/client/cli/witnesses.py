"""`witness add`, `list`, `require`, `replace`, `remove`, `policy`: whose cosignatures a member requires."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from hashshare.client.cli.output import Output, command, error_document
from hashshare.client.cosigned import check_cosigned, cosigned, silent_witnesses, unwitnessed
from hashshare.client.home import Home
from hashshare.client.logs import seen_logs
from hashshare.client.session import Session
from hashshare.client.witnesses import (
    REQUIRED,
    WITHIN_HOURS,
    Required,
    add_witness,
    remove_witness,
    replace_witness,
    require,
    required,
    set_policy,
)
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError, UsageError, VerificationFailed
from hashshare.wire.log.policies import MAX_POLICY, NONE
from hashshare.wire.plain_text import printable

STEP: Final = "Ask the hub's operator and the witness's why; `hashshare witness list` shows who cosigned what."

Within = Annotated[
    int, typer.Option("--within", metavar="HOURS", min=1, max=24 * 31, help="How old a cosignature may be.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(
        help="Whose cosignatures you require under the hub's logs, so that it cannot show you one of your own.",
        no_args_is_help=True,
    )
    command(group, "add")(add)
    command(group, "require")(require_some)
    command(group, "list")(list_witnesses)
    command(group, "replace")(replace_key)
    command(group, "remove")(remove)
    command(group, "policy")(policy)
    app.add_typer(group, name="witness")


def add(
    out: Output,
    vkey: Annotated[str, typer.Argument(metavar="VKEY", help="name+hash+key, from the witness's own operator.")],
    name: Annotated[str, typer.Option("--name", help="What you call it; the name in its key if not given.")] = "",
) -> None:
    """Know one more witness. What is required does not change by it, unless so many of all are."""
    changed = add_witness(Home.open(), vkey, name=name, now=_now())
    _tell(out, changed)


def require_some(
    out: Output,
    least: Annotated[int, typer.Argument(metavar="N", min=0, help="So many of the witnesses; 0 requires nothing.")],
    within: Within = WITHIN_HOURS,
) -> None:
    """Require that so many of the witnesses cosigned each log lately: else syncs, and what uses a list, alarm."""
    _tell(out, require(Home.open(), least, within_hours=within, now=_now()))


def remove(
    out: Output, name: Annotated[str, typer.Argument(metavar="NAME", help="As `witness list` shows it.")]
) -> None:
    """Know a witness no longer."""
    _tell(out, remove_witness(Home.open(), name, now=_now()))


def replace_key(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `witness list` shows it.")],
    vkey: Annotated[str, typer.Argument(metavar="VKEY", help="Its new key, from the witness's own operator.")],
) -> None:
    """Know a witness by another key from now on, as after it was restored from a backup. What is required stays."""
    _tell(out, replace_witness(Home.open(), name, vkey, now=_now()))


def policy(
    out: Output,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A policy (C2SP tlog-policy), - for stdin; none: show it.")
    ] = None,
    within: Within = WITHIN_HOURS,
) -> None:
    """Take a whole policy in the place of what was required, or show the one there is."""
    home = Home.open()
    if file is None:
        text = required(home).policy.to_text()
        out.result({"policy": text})
        out.say(text.removesuffix("\n"))
        return
    _tell(out, set_policy(home, _read(file), within_hours=within, now=_now()))


def list_witnesses(out: Output) -> None:
    """The witnesses that are known, what is required of them, and who cosigned each log that was seen here."""
    home = Home.open()
    wanted = required(home)
    out.table(
        ("WITNESS", "KEY"),
        [(name, witness.cosigner.to_text()) for name, witness in wanted.policy.witnesses.items()],
    )
    rows = _state(home)
    _tell(out, wanted, logs=rows)
    for row in rows:
        by = ", ".join(row["by"]) or "nobody"
        when = f" at {row['at']}" if row["at"] else ""
        out.say(f"  {row['publisher']}   cosigned by {by}{when}")
        if row["alarm"]:
            out.warn(f"{row['publisher']}: {row['alarm']}.")
        for one in silent_witnesses(home, row["publisher"]):
            out.warn(f"{row['publisher']}: {one.name} {one.detail}. {one.next_step}")


def _state(home: Home) -> list[dict[str, Any]]:
    rows = []
    for domain in seen_logs(home):
        found, lacking = cosigned(home, domain), unwitnessed(home, domain, now=_now())
        rows.append(
            {
                "publisher": domain,
                "size": found.size if found else None,
                "at": write_time(found.at) if found and found.at else None,
                "by": list(found.by) if found else [],
                "silent": [one.to_json() for one in silent_witnesses(home, domain)],
                "alarm": lacking.detail if lacking else None,
            }
        )
    return rows


def _tell(out: Output, changed: Required, *, logs: list[dict[str, Any]] | None = None) -> None:
    policy, hours = changed.policy, int(changed.within.total_seconds() // 3600)
    group = policy.groups.get(REQUIRED)
    document: dict[str, Any] = {
        "witnesses": [{"name": name, "vkey": it.cosigner.to_text()} for name, it in policy.witnesses.items()],
        "required": group.least if group and policy.quorum == REQUIRED else None,
        "quorum": policy.quorum,
        "within_hours": hours,
    }
    out.result(document if logs is None else {**document, "logs": logs})
    count = len(policy.witnesses)
    known = f"{count} {'witness is' if count == 1 else 'witnesses are'} known"
    if policy.quorum == NONE:
        out.say(f"{known}; none is required. To require some: hashshare witness require N")
    elif group and policy.quorum == REQUIRED:
        out.say(f"{known}; {group.least} must have cosigned within {hours} hours.")
    else:
        out.say(f"{known}; what is required is the policy's {policy.quorum}, within {hours} hours.")


def _read(file: Path) -> str:
    try:
        body = sys.stdin.buffer.read(MAX_POLICY + 1) if str(file) == "-" else file.read_bytes()[: MAX_POLICY + 1]
        return body.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a policy: {error}.") from error


def _now() -> datetime:
    return datetime.now(UTC)


# --- after a sync ------------------------------------------------------------------------------------------------


def tell_witnesses(out: Output, home: Home, session: Session, domains: Iterable[str]) -> list[dict[str, Any]]:
    """Look whether enough witnesses stand behind each publisher's log, and say where not; as --json shows it, with the
    exit code that each deserves.
    """
    return [_told(out, home, session, domain) for domain in domains] if required(home).wanted else []


def _told(out: Output, home: Home, session: Session, domain: str) -> dict[str, Any]:
    row: dict[str, Any] = {"publisher": domain, "by": [], "at": None, "exit_code": ExitCode.DONE}
    try:
        check_cosigned(home, domain, session, now=_now())
    except VerificationFailed as error:
        row |= {"error": error_document(error), "exit_code": error.exit_code}
        out.errors.print(printable(f"{domain}   error: {error.message}"), style="red", markup=False)
        out.errors.print(f"  lists stay in use; what was refused: {error.facts.get('refused')}", markup=False)
    except HashshareError as error:
        row |= {"error": error_document(error)}
        out.warn(f"{domain}: whether its log is cosigned could not be seen: {error.message}")
    found, lacking = cosigned(home, domain), unwitnessed(home, domain, now=_now())
    if found is not None:
        row |= {"by": list(found.by), "at": write_time(found.at) if found.at else None, "size": found.size}
    row["silent"] = [one.to_json() for one in silent_witnesses(home, domain)]
    for one in silent_witnesses(home, domain):
        if one.other_key:  # a person has to ask, before what is required is lacking
            out.warn(f"{domain}: {one.name} {one.detail}. {one.next_step}")
    if lacking is not None:
        row["alarm"] = lacking.detail
        out.warn(f"{domain}: {lacking.detail}. Its lists stay in use. {STEP}")
        if row["exit_code"] == ExitCode.DONE:
            row["exit_code"] = ExitCode.ALARM
    row["exit_code"] = int(row["exit_code"])
    return row
