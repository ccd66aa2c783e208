"""`export`, `changes`, `lookup`, `scan`: using the entries that are held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

from hashshare.client import export as exports
from hashshare.client import scan as scans
from hashshare.client.changes import export_list_changes
from hashshare.client.cli.alarms import tell_alarms
from hashshare.client.cli.list_failures import ListFailures
from hashshare.client.cli.output import Output, command, count, one_line, short, size
from hashshare.client.cli.synced import DownloadBar
from hashshare.client.home import Home
from hashshare.client.lookup import Match, look_up, open_index
from hashshare.client.store import Held, ListStore, find_store, known_name
from hashshare.wire.errors import ExitCode, UsageError

ListName = Annotated[str, typer.Argument(metavar="LIST", help="Such as aurora.example/images, or just images.")]
Format = Annotated[Literal["csv", "ndjson", "parquet"], typer.Option("--format", help="How rows are written.")]
OutputFile = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="stdout if not given.")]
Only = Annotated[list[str] | None, typer.Option("--list", metavar="LIST", help="Only this list; may be repeated.")]

Nouns: TypeAlias = tuple[str, str]
"""One, and many."""

NOT_SEARCHED = "It is not searched; the other lists are."


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "export")(export)
    command(app, "changes")(changes)
    command(app, "lookup")(lookup)
    command(app, "scan")(scan)


def export(out: Output, name: ListName, kind: Format = "csv", output: OutputFile = None) -> None:
    """Write a list's live entries, from verified data."""
    _check_output(out, output)
    home = Home.open()
    held, rows = exports.export_list(find_store(home, name), output, kind=kind)
    _report(out, home, held, rows, output, kind, ("entry", "entries"))


def changes(
    out: Output,
    name: ListName,
    since: Annotated[int, typer.Option("--since", metavar="VERSION", help="The version that you already have.")],
    kind: Format = "csv",
    output: OutputFile = None,
) -> None:
    """Write what changed in a list since a version: op (upsert, withdraw, reinstate), reason, entry.

    Changes from before the newest base are no longer held; the hub is asked for them, and they are not kept.
    """
    _check_output(out, output)
    home = Home.open()
    store, bar = find_store(home, name), DownloadBar(out)
    held, rows = export_list_changes(store, output, since=since, kind=kind, progress=bar)
    _report(out, home, held, rows, output, kind, ("change", "changes"))


def _check_output(out: Output, output: Path | None) -> None:
    if output is None and out.as_json:
        raise UsageError("--json keeps stdout for its document.", next_step="Name a file for the rows: -o FILE")


def _report(out: Output, home: Home, held: Held, rows: int, output: Path | None, kind: str, nouns: Nouns) -> None:
    if output is not None:
        counted = count(rows, *nouns)
        out.say(f"{output}: {counted} of {held.name} v{held.version}, {size(output.stat().st_size)}")
    told = {"list": held.name, "version": held.version, "rows": rows, "format": kind, "file": str(output)}
    out.result({**told, "alarms": tell_alarms(out, home, [held])})


def _stores(home: Home, only: list[str] | None) -> list[ListStore] | None:
    return [find_store(home, name) for name in dict.fromkeys(only)] if only else None


def lookup(
    out: Output,
    hashes: Annotated[list[str], typer.Argument(metavar="HASH", help="In hex; `sha256:...` names the algorithm.")],
    only: Only = None,
) -> None:
    """Say whether hashes are on a held list."""
    home, failures = Home.open(), ListFailures(out)
    with open_index(home, _stores(home, only), failed=_telling(failures)) as index:
        found = look_up(index, hashes)
        searched = [held for _, held, _ in index.opened]
    failures.settle()
    out.result(
        {
            "searched": [held.name for held in searched],
            "failed": failures.rows,
            "hashes": [{"query": text, "matches": [match.to_json() for match in found[text]]} for text in found],
            "alarms": tell_alarms(out, home, searched),
        }
    )
    for text, matches in found.items():
        if not matches:
            out.say(f"{short(text)}   not on a {'list that could be searched' if failures.rows else 'held list'}")
        for match in matches:
            out.say(f"{short(text)}   {match.list_name} v{match.version}   {_describe(match)}")


def _telling(failures: ListFailures) -> Callable[[ListStore, Exception], None]:
    """Says at once that a list isn't searched, or no further."""

    def tell(store: ListStore, error: Exception) -> None:
        failures.add(known_name(store), store.list_id, error, kept=NOT_SEARCHED)

    return tell


def _describe(match: Match) -> str:
    """Algorithm, then the metadata in words."""
    about = [f"{name} {value}" for name, value in match.to_json()["metadata"].items()]
    return "   ".join([match.algorithm, *about])


def scan(
    out: Output,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders; links are not followed.")],
    only: Only = None,
) -> None:
    """Hash files and report those on a held list, by md5, sha1 or sha256."""
    home, tally, failures = Home.open(), scans.Tally(), ListFailures(out)
    rows: list[dict[str, Any]] = []
    faults: list[dict[str, str]] = []

    def unreadable(path: Path, problem: str) -> None:
        faults.append({"path": str(path), "problem": problem})
        out.warn(f"{one_line(str(path))}: {problem}")

    with (
        open_index(home, _stores(home, only), failed=_telling(failures)) as index,
        out.bar("files hashed", total=None, unit="files") as show,
    ):
        searched = [held for _, held, _ in index.opened]
        found = scans.scan(index, paths, tally=tally, unreadable=unreadable, progress=lambda seen: show(seen.files))
        for finding in found:
            rows.append({"path": str(finding.path), **finding.match.to_json()})
            out.say(f"{one_line(str(finding.path))}   {finding.match.list_name}   {_describe(finding.match)}")
    matched = len({row["path"] for row in rows})
    out.result(
        {
            "lists": [{"list": held.name, "version": held.version} for held in searched],
            "failed": failures.rows,
            "files": tally.files,
            "bytes": tally.bytes,
            "unreadable": faults,
            "matched_files": matched,
            "matches": rows,
            "alarms": tell_alarms(out, home, searched),
        }
    )
    out.say(f"{count(tally.files, 'file')}, {size(tally.bytes)}: {count(matched, 'file')} on a held list")
    if failures.rows:
        out.warn(f"{count(len(failures.rows), 'list')} could not be searched, so this scan is not complete.")
    if faults:
        out.warn(f"{count(len(faults), 'path')} could not be read, so this scan is not complete.")
        failures.codes.append(ExitCode.FAILED)
    failures.settle()
