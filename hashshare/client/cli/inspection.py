"""`status` and `verify`: what is held here, whether it is right, and what the hub knows of us."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from hashshare.client import trust
from hashshare.client.acknowledged import told_most
from hashshare.client.cli.acknowledgements import acknowledged_cell, log_json, told_json, warn_pending, warn_refused
from hashshare.client.cli.alarms import tell_alarms, tell_key_end
from hashshare.client.cli.enrolment import publisher_json, warn_unconfirmed
from hashshare.client.cli.hubs import hub_json
from hashshare.client.cli.list_failures import ListFailures
from hashshare.client.cli.output import Output, command, count, error_document, size
from hashshare.client.cli.requests import tell_waiting
from hashshare.client.contact import contact, note_failure, note_reached
from hashshare.client.enrol import organisation_text
from hashshare.client.failover import PASSING
from hashshare.client.held_standby import held_standby
from hashshare.client.home import Home
from hashshare.client.hubs import accounts, others
from hashshare.client.kept_metadata import expiries, is_hosted
from hashshare.client.logs import seen_logs
from hashshare.client.organisation_keys import note_own_end
from hashshare.client.session import Session
from hashshare.client.store import Held, ListStore, find_store, known_name, stores
from hashshare.client.trouble import WITHHELD
from hashshare.client.verify import Verified, verify_list
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError, NotSynced

HOSTED: Final = "hosted: the hub signs for the hotline."
"""What its publisher's targets say of such a list."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "status")(status)
    command(app, "verify")(verify)


# --- status ------------------------------------------------------------------------------------------------------


def status(
    out: Output,
    offline: Annotated[bool, typer.Option("--offline", help="Only what is known here.")] = False,
) -> None:
    """Who you are to the hub, your subscriptions, what is held and how fresh it is."""
    home = Home.open()
    config = home.config()
    held, failures = _held_lists(out, home)
    known = trust.publishers(home)
    document: dict[str, Any] = {
        "home": str(home.path),
        "hub": config.hub_url,
        "organisation": dict(config.organisation),
        "key": config.key_id,
        "publishers": [{**publisher_json(one), **_standby_json(home, one.domain)} for one in known],
        "lists": [*(_held_json(home, state) for state in held), *failures.rows],
        "logs": [log_json(publisher, seen) for publisher, seen in seen_logs(home).items()],
    }
    out.say(f"{organisation_text(config.organisation)} at {config.hub_url}")
    out.facts([("key", config.key_id), ("home", str(home.path))])
    document.update(_say_hubs(out, home))
    failures.settle()
    if not offline:
        _say_hub(out, home, document, failures)
    if held or not failures.rows:
        _say_held(out, home, held)
    document["alarms"] = tell_alarms(out, home, held)
    tell_key_end(out, home, config.key_id)
    for publisher in known:
        if publisher.state == "refused":
            out.warn(f"{publisher.domain}: its root is not the one you pinned; nothing under it is used.")
    for publisher in known:
        if publisher.fingerprint:
            out.fingerprint(f"{publisher.domain}   root ", publisher.fingerprint, f"   {publisher.state}")
        if (named := held_standby(home, publisher.domain)) is not None:
            out.say(str(named))
    document["requests"] = tell_waiting(out, home)
    warn_unconfirmed(out, known)
    for domain, seen in seen_logs(home).items():
        warn_refused(out, domain, seen)
    out.result(document)


def _say_hubs(out: Output, home: Home) -> dict[str, Any]:
    """Of a home with several hubs: which are asked, in what order, and how each stood when it was asked last."""
    found = accounts(home)
    if len(found) == 1:
        return {}
    for place, account in enumerate(found):
        met = contact(account.home)
        silent = f", silent since {write_time(met.failing_since)}" if met.failing_since else ""
        reached = f"answered last {write_time(met.reached_at)}" if met.reached_at else "not asked yet"
        out.say(f"  hub {place + 1}  {account.name} at {account.config.hub_url}: {reached}{silent}")
    return {"hubs": [hub_json(account, first=not place) for place, account in enumerate(found)]}


def _standby_json(home: Home, domain: str) -> dict[str, str]:
    named = held_standby(home, domain)
    return {"standby_hub": named.hub} if named else {}


def _held_lists(out: Output, home: Home) -> tuple[list[Held], ListFailures]:
    held, failures = list[Held](), ListFailures(out)
    for store in stores(home):
        try:
            state = store.held()
        except (HashshareError, OSError) as error:
            failures.add(known_name(store), store.list_id, error)
        else:
            held += [state] if state is not None else []
    return held, failures


def _say_hub(out: Output, home: Home, document: dict[str, Any], failures: ListFailures) -> None:
    session = Session.open(home)
    try:
        answer = session.get_json("status")
    except HashshareError as error:
        document["error"] = error_document(error)
        if not (isinstance(error, PASSING) and _another_answers(home)):
            failures.codes.append(error.exit_code)
        failures.settle()
        out.warn(f"{error.message} {error.next_step}")
        return
    note_reached(home, session, now=datetime.now(UTC))
    note_own_end(home, session, answer.get("keys") or [])
    document["at_hub"] = answer
    document["clock_skew_seconds"] = session.clock_skew
    rows = [_subscription_row(row) for row in answer.get("subscriptions") or []]
    if rows:
        out.table(("SUBSCRIPTION", "STATE", "SINCE", "UNTIL", "REASON"), rows)
    if any(row.get("withheld") for row in answer.get("subscriptions") or []):
        out.say(f"Of what is withheld: {WITHHELD}")


def _another_answers(home: Home) -> bool:
    """Whether a further hub of this home answers, so that the silence of the first is no failure."""
    for account in others(home):
        session = Session.open(account.home)
        try:
            session.get_json("status")
        except HashshareError as error:
            note_failure(account.home, session, error, now=datetime.now(UTC))
        else:
            note_reached(account.home, session, now=datetime.now(UTC))
            return True
    return False


def _subscription_row(row: dict[str, Any]) -> tuple[str, ...]:
    since = row.get("decided_at") or row.get("requested_at") or ""
    dates = (str(since)[:10], str(row.get("ends_at") or "-")[:10])
    said = row.get("withheld") or row.get("reason") or _waiting(row)
    state = "withheld" if row.get("withheld") else row.get("state")
    return (str(row.get("list")), str(state), *dates, str(said))


def _waiting(row: dict[str, Any]) -> str:
    """For whom a request waits, where that is not just the publisher, here."""
    if row.get("decides") == "hub":
        return "waits for the operator of this hub"
    return f"waits for its publisher at {row['waits_at']}" if row.get("waits_at") else ""


def _say_held(out: Output, home: Home, held: list[Held]) -> None:
    if not held:
        out.say("No list is held yet. Once a subscription is active: hashshare sync")
        return
    rows = []
    for state in held:
        known = trust.publisher(home, state.publisher)
        stored = sum(part.length for part in state.objects)
        trusted = known.state if known else "unknown"
        versions = (f"v{state.version}", f"v{state.purged}", acknowledged_cell(told_most(home, state.list_id)))
        rows.append((state.name, *versions, count(state.entries), size(stored), state.applied_at, trusted))
    heading = ("HELD", "VERSION", "PURGED", "ACKNOWLEDGED", "ENTRIES", "SIZE", "APPLIED", "PUBLISHER")
    out.table(heading, rows, right=(1, 2, 4, 5))
    for state in held:
        if is_hosted(home, state.publisher, state.list_id):
            out.say(f"{state.name} is {HOSTED}")
        warn_pending(out, state.name, told_most(home, state.list_id))
        if state.status == "withdrawn":
            out.warn(f"{state.name} was closed by its publisher; its last version stays until you remove it.")


def _held_json(home: Home, state: Held) -> dict[str, Any]:
    known = trust.publisher(home, state.publisher)
    return {
        "name": state.name,
        "list_id": state.list_id,
        "version": state.version,
        "purged": state.purged,
        "role_version": state.role_version,
        "status": state.status,
        "entries": state.entries,
        "bytes": sum(part.length for part in state.objects),
        "published_at": state.published_at,
        "applied_at": state.applied_at,
        "trust": known.state if known else "unknown",
        "hosted": is_hosted(home, state.publisher, state.list_id),
        **told_json(told_most(home, state.list_id)),
        "expires": {role: write_time(end) for role, end in expiries(home, state.publisher, state.list_id).items()},
    }


# --- verify ------------------------------------------------------------------------------------------------------


def verify(
    out: Output,
    names: Annotated[list[str] | None, typer.Argument(metavar="LIST", help="All that are held, if none.")] = None,
) -> None:
    """Check everything that is held again, without the network."""
    home = Home.open()
    picked = [find_store(home, name) for name in dict.fromkeys(names)] if names else stores(home)
    if not picked:
        raise NotSynced("No list is held here yet.", next_step="hashshare sync")
    rows, used, failures = list[dict[str, Any]](), list[Held](), ListFailures(out)
    for store in picked:
        name = known_name(store)
        try:
            done = _verified(out, store, name)
        except Exception as error:  # noqa: BLE001 (an unreadable disk, say; it is told, and the next list is checked)
            rows.append({**failures.add(name, store.list_id, error), "ok": False})
            if isinstance(error, HashshareError):
                failures.codes.append(ExitCode.VERIFICATION)
        else:
            rows.append(_verified_json(done))
            _say_verified(out, done)
            used += [held] if (held := store.held()) is not None else []
    failures.settle()
    raised = tell_alarms(out, home, used)
    warn_unconfirmed(out, [known for known in trust.publishers(home) if known.state == "unconfirmed"])
    out.result({"lists": rows, "ok": all(row["ok"] for row in rows), "alarms": raised})


def _verified(out: Output, store: ListStore, name: str) -> Verified:
    held = store.held()
    total = sum(part.length for part in held.objects) if held else 0
    with out.bar(name, total=total) as show:
        return verify_list(store, progress=show)


def _verified_json(done: Verified) -> dict[str, Any]:
    return {
        "name": done.name,
        "list_id": done.list_id,
        "ok": True,
        "version": done.version,
        "purged": done.purged,
        "entries": done.entries,
        "objects": done.objects,
        "bytes": done.bytes,
        "trust": done.trust,
        "fingerprint": done.fingerprint,
        "hosted": done.hosted,
        "standby_hub": done.standby_hub or None,
        "expired": {role: write_time(end) for role, end in done.expired},
    }


def _say_verified(out: Output, done: Verified) -> None:
    what = f"{count(done.entries, 'entry', 'entries')} in {count(done.objects, 'object')}, {size(done.bytes)}"
    out.say(f"{done.name}   v{done.version}   verified: {what}")
    if out.interactive:
        out.fingerprint("  signed under root ", done.fingerprint, f", {done.trust}")
    if done.hosted:
        out.say(f"  {HOSTED}")
    if done.standby_hub:
        out.say(f"  its publisher names a standby hub: {done.standby_hub}")
