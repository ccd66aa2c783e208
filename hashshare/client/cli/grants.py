"""`requests`, `grant`, `deny`, `revoke`: the hotline's word on who receives its lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli.output import Output, command, count
from hashshare.client.grants import Decision, decide, subscriptions
from hashshare.client.home import Home
from hashshare.client.publisher import own_list_name
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError

List = Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")]
Organisation = Annotated[str, typer.Argument(metavar="ORG", help="Its short name, as `requests` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Kept with the decision; the organisation can read it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "requests")(show_requests)
    command(app, "grant")(grant)
    command(app, "deny")(deny)
    command(app, "revoke")(revoke)


def show_requests(out: Output, name: List) -> None:
    """Who has asked for a list, who receives it, until when."""
    home = Home.open()
    full_name = own_list_name(home, name)
    found = subscriptions(Session.open(home), full_name)
    out.result({"list": full_name, "subscriptions": found})
    waiting = sum(entry.get("state") == "requested" for entry in found)
    out.say(f"{full_name}   {count(len(found), 'subscription')}, {waiting:,} waiting for a decision")
    if found:
        out.table(("ORGANISATION", "NAME", "COUNTRY", "STATE", "SINCE", "UNTIL"), [_row(entry) for entry in found])
    else:
        out.say("  Nobody has asked for it yet. Members find it with `hashshare lists`.")
    if waiting:
        first = next(_slug(entry) for entry in found if entry.get("state") == "requested")
        out.say(f"Next: hashshare grant {full_name} {first} --until YYYY-MM-DD")


def grant(
    out: Output,
    name: List,
    organisation: Organisation,
    until: Annotated[str, typer.Option("--until", metavar="YYYY-MM-DD", help="It ends at 00:00 UTC of that day.")],
) -> None:
    """Let an organisation that asked receive the list, until a date."""
    try:
        ends = datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise UsageError(f"--until {until!r} is not a date such as 2027-11-22.") from None
    if ends <= datetime.now(UTC).date():
        raise UsageError(f"--until {until} is not in the future.")
    document = _decide(out, name, organisation, "grant", until=ends)
    out.say(f"{document['organisation']} receives {document['list']} until {ends.isoformat()}.")


def deny(out: Output, name: List, organisation: Organisation, reason: Reason = "") -> None:
    """Refuse an organisation's request."""
    document = _decide(out, name, organisation, "deny", reason=reason)
    out.say(f"The request of {document['organisation']} for {document['list']} is denied.")


def revoke(out: Output, name: List, organisation: Organisation, reason: Reason = "") -> None:
    """End an organisation's subscription now. What it already holds stays with it."""
    document = _decide(out, name, organisation, "revoke", reason=reason)
    out.say(f"{document['organisation']} no longer receives {document['list']}.")


def _decide(out: Output, name: str, organisation: str, decision: Decision, **details: Any) -> dict[str, Any]:
    home = Home.open()
    full_name = own_list_name(home, name)
    subscription = decide(Session.open(home), full_name, organisation=organisation, decision=decision, **details)
    document = {"list": full_name, "organisation": organisation, "decision": decision, "subscription": subscription}
    out.result(document)
    return document


def _slug(entry: dict[str, Any]) -> str:
    organisation = entry.get("organisation")
    return str(organisation.get("slug", "") if isinstance(organisation, dict) else organisation or "")


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    organisation = entry.get("organisation")
    facts = organisation if isinstance(organisation, dict) else {}
    dates = (str(entry.get(key) or "")[:10] for key in ("requested_at", "ends_at"))
    return (
        _slug(entry),
        str(facts.get("name", "")),
        str(facts.get("country", "")),
        str(entry.get("state", "")),
        *dates,
    )
