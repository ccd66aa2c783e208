"""`sync`: bring the lists up to date, say what changed, run what depends on it."""

from __future__ import annotations

import random
import time
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from hashshare.client import trust
from hashshare.client.cli.enrolment import warn_unconfirmed
from hashshare.client.cli.output import Output, command, count, error_document, printable, size
from hashshare.client.home import Home
from hashshare.client.notify import is_due, last_done, run_command
from hashshare.client.session import Session
from hashshare.client.store import ListStore, find_store, stores
from hashshare.client.sync import Head, Synced, chosen, heads, sync_list
from hashshare.wire.errors import ExitCode, HashshareError, NotSynced, UsageError

MINUS = "\N{MINUS SIGN}"
SEVERITY = (ExitCode.VERIFICATION, ExitCode.NOT_ALLOWED, ExitCode.NETWORK)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "sync")(sync)
    command(app, "forget")(forget)


def sync(
    out: Output,
    names: Annotated[list[str] | None, typer.Argument(metavar="LIST", help="All you may read, if none.")] = None,
    exec_command: Annotated[
        str, typer.Option("--exec", metavar="COMMAND", help="Run once per new version; again if it failed.")
    ] = "",
    accept_shrink: Annotated[
        bool, typer.Option("--accept-shrink", help="Take a version that loses over a tenth of the entries.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Check the signatures even if nothing seems new.")] = False,
    jitter: Annotated[
        float, typer.Option("--jitter", metavar="SECONDS", min=0, help="Wait up to so long first, for cron.")
    ] = 0,
) -> None:
    """Fetch, verify and apply what is new. Whatever fails leaves the last good state in use."""
    if jitter:
        time.sleep(random.SystemRandom().uniform(0, jitter))
    home = Home.open()
    session = Session.open(home)
    run = _Run(out, home, session, exec_command, accept_shrink, force)
    for head in chosen(heads(session, home), names or []):
        run.one(head)
    run.finish(everything=not names)


def forget(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="A held list, such as aurora.example/images.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a held list from this machine; nothing matches against it any more. The subscription stays as it is."""
    store = find_store(Home.open(), name)
    held = store.held()
    if held is None:
        raise NotSynced
    if not yes and not (out.interactive and typer.confirm(f"Remove the {held.entries:,} entries of {held.name}?")):
        raise UsageError("Nothing was removed.", next_step=f"hashshare forget {held.name} --yes")
    removed = store.remove()
    out.result({"list": removed.name, "version": removed.version, "entries": removed.entries})
    out.say(f"{removed.name} v{removed.version} is no longer held here.")


class _Run:
    """The lists of one `sync`, one after the other; a list that fails doesn't keep the others from being synced."""

    def __init__(
        self, out: Output, home: Home, session: Session, exec_command: str, accept_shrink: bool, force: bool
    ) -> None:
        self.out, self.home, self.session = out, home, session
        self.exec_command, self.accept_shrink, self.force = exec_command, accept_shrink, force
        self.repositories: dict[str, trust.Repository] = {}
        self.rows: list[dict[str, Any]] = []
        self.failures: list[ExitCode] = []
        self.seen: set[str] = set()

    def one(self, head: Head) -> None:
        self.seen.add(head.list_id)
        row: dict[str, Any] = {"name": head.name, "list_id": head.list_id}
        self.rows.append(row)
        try:
            done = sync_list(
                self.session,
                self.home,
                head,
                repository=self._repository(head.publisher),
                progress=_Bar(self.out),
                accept_shrink=self.accept_shrink,
                force=self.force,
                waiting=lambda: self.out.warn(f"Another sync of {head.publisher} is running; waiting for it."),
            )
        except HashshareError as error:
            self._failed(head, row, error)
        else:
            row.update(asdict(done), changed=done.changed)
            say_synced(self.out, done)
        if self.exec_command:
            self._exec(head, row)

    def _repository(self, domain: str) -> trust.Repository:
        if domain not in self.repositories:
            self.repositories[domain] = trust.Repository(self.home, self.session, domain)
        return self.repositories[domain]

    def _failed(self, head: Head, row: dict[str, Any], error: HashshareError) -> None:
        if self.out.debug:
            raise error
        self.failures.append(error.exit_code)
        row["error"] = error_document(error)
        self.out.errors.print(printable(f"{head.name}   error: {error.message}"), style="red", markup=False)
        held = ListStore(self.home, head.list_id).held()
        known = trust.publisher(self.home, head.publisher)
        if held is not None and known is not None and known.state != "refused":
            self.out.errors.print(f"  version {held.version} stays in use", markup=False)
        if error.next_step:
            self.out.errors.print(f"  {printable(error.next_step)}", markup=False)

    def _exec(self, head: Head, row: dict[str, Any]) -> None:
        store = ListStore(self.home, head.list_id)
        held = store.held()
        if held is None or not is_due(store, held, self.exec_command):
            return
        status = run_command(store, held, self.exec_command, before=last_done(store, self.exec_command))
        row["exec"] = {"version": held.version, "status": status}
        if status:
            self.failures.append(ExitCode.FAILED)
            self.out.warn(
                f"{head.name}: the command for version {held.version} ended with {status}; the next sync runs it again."
            )

    def finish(self, *, everything: bool) -> None:
        known = trust.publishers(self.home)
        if everything:
            self._say_gone()
        if not self.rows:
            self.out.say("The hub shows no list to your organisation. Ask for one: hashshare subscribe LIST")
        warn_unconfirmed(self.out, [publisher for publisher in known if publisher.domain in self.repositories])
        self.out.result({"lists": self.rows})
        for code in SEVERITY:
            if code in self.failures:
                self.out.exit_code = code
                return
        if self.failures:
            self.out.exit_code = self.failures[0]

    def _say_gone(self) -> None:
        for store in stores(self.home):
            held = store.held()
            if held is not None and held.list_id not in self.seen:
                self.rows.append({"name": held.name, "list_id": held.list_id, "version": held.version, "gone": True})
                self.failures.append(ExitCode.NOT_ALLOWED)
                self.out.warn(
                    f"{held.name} v{held.version} is held, but the hub no longer offers it to you: it gets older, "
                    f"withdrawn entries included. See hashshare status, then subscribe again or: "
                    f"hashshare forget {held.name}"
                )


def say_synced(out: Output, done: Synced) -> None:
    """The outcome in a line for cron, in two on a terminal."""
    if not done.changed:
        out.say(f"{done.name}   v{done.version}   up to date, {count(done.entries)} held")
        return
    if done.before is None or done.full:
        change = f"the whole list in {count(done.segments, 'object')}, {size(done.bytes)}"
    else:
        releases = count(done.version - done.before, "release")
        made = f", {count(done.made)} made here" if done.made else ""
        change = f"{releases} in {count(done.segments, 'segment')}, {size(done.bytes)}{made}"
    versions = f"v{done.version}" if done.before is None else f"v{done.before} → v{done.version}"
    held = ""
    if done.upserts is not None and done.withdrawals is not None:
        added, taken = count(done.upserts, "entry", "entries"), f"{count(done.withdrawals)} withdrawn"
        held = f"+ {added}   {MINUS} {taken}   "
    counts = f"{held}{count(done.entries)} held   verified"
    if out.interactive:
        out.say(f"{done.name}   {versions}   {change}")
        out.say(f"  {counts}")
    else:
        out.say(f"{done.name}   {versions}   {change}   {counts}")


class _Bar:
    """Draws a list's download; several threads report to it."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bars: Bars | None = None

    def start(self, name: str, *, before: int | None, version: int, objects: int, total: int) -> None:
        if not self._out.interactive or not total:
            return
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=36), DownloadColumn(), TransferSpeedColumn())
        self._bars = Bars(*columns, console=self._out.errors, transient=True)
        label = f"{name} v{version}" if before is None else f"{name} v{before} → v{version}"
        self._task = self._bars.add_task(f"{label}, {count(objects, 'object')}", total=total)
        self._bars.start()

    def advance(self, done: int) -> None:
        if self._bars is not None:
            self._bars.advance(self._task, done)

    def finish(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
