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
from hashshare.client.cli.telling import Telling
from hashshare.client.cli.witnesses import tell_witnesses
from hashshare.client.contact import contact
from hashshare.client.failover import AskedHub, bring, offered, opened, withheld_by
from hashshare.client.home import Home
from hashshare.client.hubs import accounts
from hashshare.client.intervals import forget_asked, note_asked, too_early
from hashshare.client.notify import is_due, last_done, run_command
from hashshare.client.repository import Repository
from hashshare.client.spans import span
from hashshare.client.store import Held, ListStore, known_name, stores
from hashshare.client.sync import Head, Synced, chosen, sync_list
from hashshare.client.trouble import WITHHELD, forget_trouble, note_gone, note_trouble, trouble
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError, NotEntitled
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
    hubs = list(opened(accounts(home), warn=out.warn))
    forget_asked(home)
    found = _polled(out, home, hubs)
    run = _Run(out, home, hubs, exec_command, accept_shrink, force)
    for head in _chosen(found, hubs, names or []):
        run.one(head)
    run.finish(everything=not names)
    if not names and not out.exit_code:
        note_asked(home, now=began)


def _polled(out: Output, home: Home, hubs: list[AskedHub]) -> list[Head]:
    """What the hubs offer. Where all are silent, or do not let us in, each list says so after two days.

    Raises what the first hub's poll did when none has answered.
    """
    for hub in hubs:
        hub.poll()
    failed = [hub.error for hub in hubs if hub.error is not None]
    if failed and len(failed) == len(hubs):
        held = [state for store in stores(home) if (state := _Run._held(store)) is not None]
        out.result({"alarms": tell_alarms(out, home, held)})
        raise failed[0]
    return offered(hubs)


def _chosen(found: list[Head], hubs: list[AskedHub], names: list[str]) -> list[Head]:
    """Raises what `chosen` does, or why a hub gave nothing that might have had the list."""
    try:
        return chosen(found, names)
    except NotEntitled:
        failed = [hub.error for hub in hubs if hub.error is not None]
        if failed:
            raise failed[0] from None
        raise


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
        self, out: Output, home: Home, hubs: list[AskedHub], exec_command: str, accept_shrink: bool, force: bool
    ) -> None:
        self.out, self.home, self.hubs = out, home, hubs
        self.exec_command, self.accept_shrink, self.force = exec_command, accept_shrink, force
        self.acknowledgers = {hub.name: Acknowledger(hub.account.home, hub.session) for hub in hubs}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.rows: list[dict[str, Any]] = []
        self.failures = ListFailures(out)
        self.seen: set[str] = set()
        self.roots: dict[str, dict[str, Any]] = {}
        self.begun_anew: set[str] = set()
        self.told = Telling(out, hubs, self.failures)
        self.told.silent()

    def one(self, head: Head) -> None:
        self.seen.add(head.list_id)
        row: dict[str, Any] = {"name": head.name, "list_id": head.list_id}
        self.rows.append(row)
        brought = bring(self.hubs, head, self._sync, now=lambda: datetime.now(UTC))
        self._tell_root(head.publisher)
        if brought.by is None or brought.done is None:
            self._fail(head, row, brought.refused[0].error)
        else:
            hub, done = brought.by, brought.done
            forget_trouble(ListStore(self.home, head.list_id))
            row.update(asdict(done), changed=done.changed, **self.told.by(hub))
            self.told.refused(head, hub, [one for one in brought.refused if one.passing])
            self._whatever_comes(head, row, lambda: self._acknowledge(hub, done, row))
            for grave in [one for one in brought.refused if not one.passing]:
                # The list is fresh, and the hub is not to be trusted with it: that must not pass unseen.
                self._fail(head, row, grave.error, of=f" at {grave.hub.name}")
        if self.exec_command:
            self._whatever_comes(head, row, lambda: self._exec(head, row))

    def _sync(self, hub: AskedHub, head: Head) -> Synced:
        return sync_list(
            hub.session,
            hub.account.home,
            head,
            repository=self._repository(hub, head.publisher),
            progress=DownloadBar(self.out),
            accept_shrink=self.accept_shrink,
            force=self.force or head.publisher in self.begun_anew,
            waiting=lambda: self.out.warn(f"Another sync of {head.publisher} is running; waiting for it."),
        )

    def _fail(self, head: Head, row: dict[str, Any], error: Exception, *, of: str = "") -> None:
        """A full disk, say; it is told, and the next list is synced."""
        self._note(head, error)
        row.update(self.failures.add(f"{head.name}{of}", head.list_id, error, kept=self._kept(head)))
        row.update(self._since(head), name=head.name)

    def _whatever_comes(self, head: Head, row: dict[str, Any], step: Callable[[], None]) -> None:
        """A step after the sync of one list: its failure is told, and the next list is synced."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 (as above)
            row.update(self.failures.add(head.name, head.list_id, error))

    def _acknowledge(self, hub: AskedHub, done: Synced, row: dict[str, Any]) -> None:
        """To the hub that delivered it."""
        store = ListStore(hub.account.home, done.list_id)
        held = store.held()
        if held is None:
            return
        outcome = self.acknowledgers[hub.name].after_sync(store, held)
        row["acknowledgement"] = outcome_json(outcome)
        say_synced(self.out, done, acknowledged=outcome.sent)
        failure = tell_outcome(self.out, done.name, held.version, outcome)
        if failure is not None:
            self.failures.codes.append(failure)

    def _tell_root(self, domain: str) -> None:
        """Once per change: the next sync starts from the root that this one has followed."""
        found = [repository for (_, of), repository in self.repositories.items() if of == domain]
        change = next((repository.root_change for repository in found if repository.root_change), None)
        if change is not None and domain not in self.roots:
            self.roots[domain] = change.to_json()
            self.out.say(str(change))

    def _repository(self, hub: AskedHub, domain: str) -> Repository:
        key = hub.name, domain
        if key not in self.repositories:
            self.repositories[key] = Repository(hub.account.home, hub.session, domain)
            self._replace_root(hub, domain)
        return self.repositories[key]

    def _replace_root(self, hub: AskedHub, domain: str) -> None:
        """Where the user named another root for a publisher that started anew; the one held stays until it verifies."""
        try:
            done = replacing.carry_out(self.home, hub.session, domain)
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
        used = {domain for _, domain in self.repositories}
        warn_unconfirmed(self.out, [publisher for publisher in known if publisher.domain in used])
        self._say_clock()
        for hub in self.hubs:
            tell_key_end(self.out, hub.account.home, hub.session.key_id)
        superseded = tell_successions(self.out, self.home)
        witnessed = [row for hub in self.hubs for row in self._witnessed(hub)]
        self.failures.codes += [ExitCode(row["exit_code"]) for row in witnessed if row["exit_code"]]
        self.out.result(
            {
                "lists": self.rows,
                "roots": list(self.roots.values()),
                "clock_skew_seconds": self.hubs[0].session.clock_skew,
                **self.told.to_json(),
                **({"superseded_logs": superseded} if superseded else {}),
                **({"witnesses": witnessed} if witnessed else {}),
            }
        )
        self.failures.settle()

    def _witnessed(self, hub: AskedHub) -> list[dict[str, Any]]:
        """By each publisher's log at this hub that something was brought from."""
        domains = sorted(domain for of, domain in self.repositories if of == hub.name)
        return tell_witnesses(self.out, hub.account.home, hub.session, domains)

    def _say_clock(self) -> None:
        """What expires is judged by this machine's clock; a wrong one is no failure, and never silent."""
        met = contact(self.home)
        fault = clock_fault(met, now=datetime.now(UTC))
        if fault:
            self.out.warn(f"{fault} {JUDGED}")
        if fault and max(abs(met.skew), met.set_back) > SIGNATURE_WINDOW_SECONDS:
            self.failures.codes.append(ExitCode.ALARM)

    def _say_gone(self) -> None:
        gone = [store for store in stores(self.home) if store.list_id not in self.seen]
        withheld = withheld_by(self.hubs) if gone else {}
        for store in gone:
            held, name = self._held(store), known_name(store)
            version = held.version if held else None
            if (silent := self.told.may_have_it) is not None:
                self.rows.append({"name": name, "list_id": store.list_id, "version": version})
                self.failures.codes.append(silent.exit_code)
                self.out.warn(f"{name} is held and could not be checked: only a hub that gives no answer may have it.")
                continue
            why = withheld.get(name, "")
            facts = {"name": name, "list_id": store.list_id, "version": version, "gone": True}
            self.rows.append({**facts, "withheld": why} if why else facts)
            self.failures.codes.append(ExitCode.NOT_ALLOWED)
            note_gone(store, now=datetime.now(UTC), withheld=why)
            found = trouble(store)
            lasting = f" ({span(found.last - found.since)} by now)" if found and found.last > found.since else ""
            it = f"{name}{f' v{version}' if version else ''} is held, but the hub"
            older = "it gets older, withdrawn entries included"
            if why:
                self.out.warn(f"{it} withholds it{lasting}, and {older}. {why} {WITHHELD}")
                continue
            self.out.warn(
                f"{it} no longer offers it to you{lasting}: {older}. See hashshare status, then subscribe again or: "
                f"hashshare forget {name}"
            )
