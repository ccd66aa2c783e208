"""`sync`: bring the lists up to date, say what changed, run what depends on it."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from hashshare.client import next_key, replacing, trust
from hashshare.client.acknowledging import Acknowledger
from hashshare.client.alarms import clock_fault
from hashshare.client.cli.acknowledgements import outcome_json, tell_outcome
from hashshare.client.cli.alarms import JUDGED, tell_alarms, tell_key_end
from hashshare.client.cli.enrolment import warn_unconfirmed
from hashshare.client.cli.failures import explained, raise_if_interrupted
from hashshare.client.cli.list_failures import ListFailures
from hashshare.client.cli.output import Output, command
from hashshare.client.cli.successions import tell_successions
from hashshare.client.cli.synced import DownloadBar, say_early, say_synced
from hashshare.client.cli.witnesses import tell_witnesses
from hashshare.client.contact import contact, note_failure, note_reached
from hashshare.client.home import Home
from hashshare.client.intervals import forget_asked, note_asked, too_early
from hashshare.client.notify import is_due, last_done, run_command
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.client.spans import span
from hashshare.client.store import Held, ListStore, known_name, stores
from hashshare.client.sync import Head, Synced, chosen, heads, sync_list
from hashshare.client.trouble import forget_trouble, note_gone, note_trouble, trouble
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError
from hashshare.wire.limits import SIGNATURE_WINDOW_SECONDS


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "sync")(sync)


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
    at_once: Annotated[
        bool, typer.Option("--now", envvar="HASHSHARE_SYNC_NOW", help="Ask even sooner than the lists allow.")
    ] = False,
) -> None:
    """Fetch, verify and apply what is new. Whatever fails leaves the last good state in use. Started sooner after the
    last than the lists allow, it asks nothing.
    """
    home, began = Home.open(), datetime.now(UTC)
    asked = bool(at_once or force or accept_shrink or names)
    if not asked and (early := too_early(home, command=exec_command, now=began)) is not None:
        say_early(out, early)
        return
    if jitter:
        time.sleep(random.SystemRandom().uniform(0, jitter))
    _carry_on_rotation(out, home)
    session = Session.open(home)
    forget_asked(home)
    run = _Run(out, home, session, exec_command, accept_shrink, force)
    for head in chosen(_polled(out, home, session), names or []):
        run.one(head)
    run.finish(everything=not names)
    if not names and not out.exit_code:
        note_asked(home, now=began)


def _polled(out: Output, home: Home, session: Session) -> list[Head]:
    """What the hub offers. One that is silent, or does not let us in, is remembered; after two days each list says so.

    Raises what `heads` does.
    """
    now = datetime.now(UTC)
    try:
        found = heads(session, home)
    except HashshareError as error:
        note_failure(home, session, error, now=now)
        held = [state for store in stores(home) if (state := _Run._held(store)) is not None]
        out.result({"alarms": tell_alarms(out, home, held)})
        raise
    note_reached(home, session, now=now)
    return found


def _carry_on_rotation(out: Output, home: Home) -> None:
    """A new key that was begun and not put in place. That it still cannot be must not keep the lists from a sync."""
    try:
        if (done := next_key.resume(home)) is not None and done.left is None:
            out.say(f"This machine now signs with {done.new}; the old key has been told to end.")
    except HashshareError as error:
        out.warn(f"The new key that was begun cannot be put in place yet: {error.message}")


class _Run:
    """The lists of one `sync`, one after the other; a list that fails doesn't keep the others from being synced."""

    def __init__(
        self, out: Output, home: Home, session: Session, exec_command: str, accept_shrink: bool, force: bool
    ) -> None:
        self.out, self.home, self.session = out, home, session
        self.exec_command, self.accept_shrink, self.force = exec_command, accept_shrink, force
        self.acknowledger = Acknowledger(home, session)
        self.repositories: dict[str, Repository] = {}
        self.rows: list[dict[str, Any]] = []
        self.failures = ListFailures(out)
        self.seen: set[str] = set()
        self.roots: dict[str, dict[str, Any]] = {}
        self.begun_anew: set[str] = set()

    def one(self, head: Head) -> None:
        self.seen.add(head.list_id)
        row: dict[str, Any] = {"name": head.name, "list_id": head.list_id}
        self.rows.append(row)
        repository = self._repository(head.publisher)
        try:
            done = sync_list(
                self.session,
                self.home,
                head,
                repository=repository,
                progress=DownloadBar(self.out),
                accept_shrink=self.accept_shrink,
                force=self.force or head.publisher in self.begun_anew,
                waiting=lambda: self.out.warn(f"Another sync of {head.publisher} is running; waiting for it."),
            )
        except Exception as error:  # noqa: BLE001 (a full disk, say; it is told, and the next list is synced)
            self._note(head, error)
            row.update(self.failures.add(head.name, head.list_id, error, kept=self._kept(head)))
            row.update(self._since(head))
            self._tell_root(head.publisher)
        else:
            forget_trouble(ListStore(self.home, head.list_id))
            row.update(asdict(done), changed=done.changed)
            self._tell_root(head.publisher)
            self._whatever_comes(head, row, lambda: self._acknowledge(done, row))
        if self.exec_command:
            self._whatever_comes(head, row, lambda: self._exec(head, row))

    def _whatever_comes(self, head: Head, row: dict[str, Any], step: Callable[[], None]) -> None:
        """A step after the sync of one list: its failure is told, and the next list is synced."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 (as above)
            row.update(self.failures.add(head.name, head.list_id, error))

    def _acknowledge(self, done: Synced, row: dict[str, Any]) -> None:
        store = ListStore(self.home, done.list_id)
        held = store.held()
        if held is None:
            return
        outcome = self.acknowledger.after_sync(store, held)
        row["acknowledgement"] = outcome_json(outcome)
        say_synced(self.out, done, acknowledged=outcome.sent)
        failure = tell_outcome(self.out, done.name, held.version, outcome)
        if failure is not None:
            self.failures.codes.append(failure)

    def _tell_root(self, domain: str) -> None:
        """Once per change: the next sync starts from the root that this one has followed."""
        change = self._repository(domain).root_change
        if change is not None and domain not in self.roots:
            self.roots[domain] = change.to_json()
            self.out.say(str(change))

    def _repository(self, domain: str) -> Repository:
        if domain not in self.repositories:
            self.repositories[domain] = Repository(self.home, self.session, domain)
            self._replace_root(domain)
        return self.repositories[domain]

    def _replace_root(self, domain: str) -> None:
        """Where the user named another root for a publisher that started anew; the one held stays until it verifies."""
        try:
            done = replacing.carry_out(self.home, self.session, domain)
        except HashshareError as error:
            self.failures.codes.append(error.exit_code)
            self.out.warn(f"{domain}: the root you named is not in place yet, the one held is in use: {error.message}")
            return
        if done is not None and done.done:
            self.begun_anew.add(domain)
            self.out.warn(
                f"{domain} started anew: the root you named is in place, the old one is kept aside. Lists that were "
                "synced under the old one stay in use; remove those that are no longer offered: hashshare forget LIST"
            )
        elif done is not None:
            self.out.warn(f"{domain}: the hub still serves the root that is to be replaced; it stays in use.")

    def _note(self, head: Head, error: Exception) -> None:
        raise_if_interrupted(error)
        known = error if isinstance(error, HashshareError) else explained(error)
        note_trouble(ListStore(self.home, head.list_id), known, now=datetime.now(UTC))

    def _since(self, head: Head) -> dict[str, str]:
        found = trouble(ListStore(self.home, head.list_id))
        return {"failing_since": write_time(found.since)} if found else {}

    def _kept(self, head: Head) -> str:
        store = ListStore(self.home, head.list_id)
        held, known, found = self._held(store), trust.publisher(self.home, head.publisher), trouble(store)
        if held is None or known is None or known.state == "refused":
            return ""
        lasting = found.last - found.since if found else timedelta(0)
        since = f"; it has failed for {span(lasting)}, since {write_time(found.since)}" if found and lasting else ""
        return f"version {held.version} stays in use{since}"

    @staticmethod
    def _held(store: ListStore) -> Held | None:
        """None also where the record is damaged, which the list's own sync has told."""
        with contextlib.suppress(HashshareError):
            return store.held()
        return None

    def _exec(self, head: Head, row: dict[str, Any]) -> None:
        store = ListStore(self.home, head.list_id)
        held = self._held(store)
        if held is None or not is_due(store, held, self.exec_command):
            return
        status = run_command(store, held, self.exec_command, before=last_done(store, self.exec_command))
        row["exec"] = {"version": held.version, "status": status}
        if status:
            self.failures.codes.append(ExitCode.FAILED)
            self.out.warn(
                f"{head.name}: the command for version {held.version} ended with {status}; the next sync runs it again."
            )

    def finish(self, *, everything: bool) -> None:
        known = trust.publishers(self.home)
        if everything:
            self._say_gone()
        if not self.rows:
            self.out.say(
                "No subscription of your organisation is active. `hashshare status` shows what waits; "
                "ask for a list: hashshare subscribe LIST"
            )
        warn_unconfirmed(self.out, [publisher for publisher in known if publisher.domain in self.repositories])
        self._say_clock()
        tell_key_end(self.out, self.home, self.session.key_id)
        superseded = tell_successions(self.out, self.home)
        witnessed = tell_witnesses(self.out, self.home, self.session, sorted(self.repositories))
        self.failures.codes += [ExitCode(row["exit_code"]) for row in witnessed if row["exit_code"]]
        self.out.result(
            {
                "lists": self.rows,
                "roots": list(self.roots.values()),
                "clock_skew_seconds": self.session.clock_skew,
                **({"superseded_logs": superseded} if superseded else {}),
                **({"witnesses": witnessed} if witnessed else {}),
            }
        )
        self.failures.settle()

    def _say_clock(self) -> None:
        """What expires is judged by this machine's clock; a wrong one is no failure, and never silent."""
        met = contact(self.home)
        fault = clock_fault(met, now=datetime.now(UTC))
        if fault:
            self.out.warn(f"{fault} {JUDGED}")
        if fault and max(abs(met.skew), met.set_back) > SIGNATURE_WINDOW_SECONDS:
            self.failures.codes.append(ExitCode.ALARM)

    def _say_gone(self) -> None:
        for store in stores(self.home):
            if store.list_id in self.seen:
                continue
            held, name = self._held(store), known_name(store)
            version = held.version if held else None
            self.rows.append({"name": name, "list_id": store.list_id, "version": version, "gone": True})
            self.failures.codes.append(ExitCode.NOT_ALLOWED)
            note_gone(store, now=datetime.now(UTC))
            found = trouble(store)
            lasting = f" ({span(found.last - found.since)} by now)" if found and found.last > found.since else ""
            self.out.warn(
                f"{name}{f' v{version}' if version else ''} is held, but the hub no longer offers it to you{lasting}: "
                f"it gets older, withdrawn entries included. See hashshare status, then subscribe again or: "
                f"hashshare forget {name}"
            )
