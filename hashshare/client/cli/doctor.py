"""`doctor`: what is wrong here, in plain words, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from hashshare.client.cli.layout import folded
from hashshare.client.cli.list_failures import gravest
from hashshare.client.cli.output import Output, command, count
from hashshare.client.doctor.examination import examine
from hashshare.client.doctor.finding import Finding, State
from hashshare.client.doctor.patient import home_of
from hashshare.wire.errors import ExitCode

MARKS: Final = {State.GOOD: "+", State.WARN: "!", State.BAD: "x", State.SKIPPED: "-"}
INDENT: Final = 11
STYLES: Final = {State.GOOD: "green", State.WARN: "yellow", State.BAD: "red", State.SKIPPED: "dim"}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "doctor")(doctor)


def doctor(
    out: Output,
    offline: Annotated[bool, typer.Option("--offline", help="Only what is known here; the hub is not asked.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what is not good.")] = False,
) -> None:
    """Say what is wrong and what to do: clock, reach, keys, roots, lists, logs, disk. Changes nothing."""
    found: list[Finding] = []
    for finding in examine(home_of(), offline=offline, now=datetime.now(UTC)):
        found.append(finding)
        if not (quiet and finding.state in (State.GOOD, State.SKIPPED)):
            _say(out, finding)
    counted = Counter(finding.state for finding in found)
    out.exit_code = verdict(found)
    out.result(
        {
            "ok": counted[State.BAD] == 0,
            "good": counted[State.GOOD],
            "warn": counted[State.WARN],
            "bad": counted[State.BAD],
            "findings": [finding.to_json() for finding in found],
        }
    )
    if not quiet or counted[State.BAD] or counted[State.WARN]:
        out.say(f"{counted[State.BAD]} bad, {counted[State.WARN]} to look at, {count(counted[State.GOOD])} good.")


def verdict(findings: Iterable[Finding]) -> ExitCode:
    """DONE if nothing is bad, else the code of the gravest."""
    codes = [finding.exit_code for finding in findings if finding.state is State.BAD]
    return gravest(codes) if codes else ExitCode.DONE


def _say(out: Output, finding: Finding) -> None:
    told = f"{MARKS[finding.state]} {finding.state:<7}  {finding.check}: {finding.says}"
    _fold(out, told, style=STYLES[finding.state])
    for line in (finding.means, finding.next_step):
        if line:
            _fold(out, " " * INDENT + line)


def _fold(out: Output, line: str, *, style: str = "") -> None:
    """Between words on a terminal, whole in a log."""
    pieces = folded(line, out.console.width, indent=INDENT) if out.console.is_terminal else [line]
    for piece in pieces:
        out.say(piece, style=style)
