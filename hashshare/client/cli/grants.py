"""`requests`, `grant`, `deny`, `revoke`: the hotline's word on who receives its lists, at its hub and at others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli.output import Output, command, count
from hashshare.client.grants import (
    Decision,
    Members,
    choose_for_hub,
    decide,
    find_hub,
    find_recipient,
    peers,
    subscriptions,
)
from hashshare.client.home import Home
from hashshare.client.publisher import own_list_name
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError

List = Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")]
Organisation = Annotated[
    str,
    typer.Argument(
        metavar="ORG",
        help="Its name or short name, as `requests` shows it: cobalt, or cobalt@south.example of another hub.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Kept with the decision; the organisation can read it.")]

MEMBERS = {"each": "you, on each", "hub": "the hub itself"}


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "requests")(show_requests)
    command(app, "grant")(grant)
    command(app, "deny")(deny)
    command(app, "revoke")(revoke)
    command(app, "peers")(show_peers)
    command(app, "peer-terms")(set_peer_terms)


def show_requests(out: Output, name: List) -> None:
    """Who has asked for a list, who receives it, until when; members of other hubs too."""
    home = Home.open()
    full_name = own_list_name(home, name)
    session = Session.open(home)
    found, hubs = subscriptions(session, full_name), peers(session, full_name)
    out.result({"list": full_name, "subscriptions": found, "peers": hubs})
    rows = [_row(entry) for entry in found] + [_row_at(hub, entry) for hub in hubs for entry in hub["requests"]]
    waiting = [row[0] for row in rows if row[3] == "requested"]
    out.say(f"{full_name}   {count(len(rows), 'subscription')}, {len(waiting):,} waiting for a decision")
    if rows:
        out.table(("ORGANISATION", "NAME", "COUNTRY", "STATE", "SINCE", "UNTIL"), rows)
    else:
        out.say("  Nobody has asked for it yet. Members find it with `hashshare lists`.")
    if waiting:
        out.say(f"Next: hashshare grant {full_name} {waiting[0]} --until YYYY-MM-DD")


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
    _tell_hub(out, document)


def deny(out: Output, name: List, organisation: Organisation, reason: Reason = "") -> None:
    """Refuse an organisation's request."""
    document = _decide(out, name, organisation, "deny", reason=reason)
    out.say(f"The request of {document['organisation']} for {document['list']} is denied.")
    _tell_hub(out, document)


def revoke(out: Output, name: List, organisation: Organisation, reason: Reason = "") -> None:
    """End an organisation's subscription now. What it already holds stays with it."""
    document = _decide(out, name, organisation, "revoke", reason=reason)
    out.say(f"{document['organisation']} no longer receives {document['list']}.")
    _tell_hub(out, document)


def show_peers(out: Output, name: List) -> None:
    """Which other hubs receive a list or asked for it, and who decides on their members."""
    home = Home.open()
    full_name = own_list_name(home, name)
    found = peers(Session.open(home), full_name)
    out.result({"list": full_name, "peers": found})
    out.say(f"{full_name}   {count(len(found), 'hub')}")
    if not found:
        out.say("  No other hub has asked for it. Whether one may, its redistribution policy says.")
        return
    headings = ("HUB", "COUNTRY", "STATE", "UNTIL", "MEMBERS DECIDED BY", "EVIDENCE", "WAITING")
    out.table(headings, [_hub_row(hub) for hub in found], right=(6,))
    for hub in found:
        if hub["crosses"]:
            out.say(f"  {hub['hub']} is served nothing: {hub['crosses']}")
    asked = next((hub for hub in found if hub["state"] == "requested"), None)
    if asked is not None:
        out.say(f"Next: hashshare grant {full_name} {asked['organisation']} --until YYYY-MM-DD")


def set_peer_terms(
    out: Output,
    name: List,
    hub: Annotated[
        str, typer.Argument(metavar="HUB", help="Its name, as `peers` shows it: south.example; or its short name.")
    ],
    members: Annotated[
        str, typer.Option("--members", help="Who decides on its members: each (you, on each of them) or hub.")
    ],
    evidence: Annotated[
        str,
        typer.Option("--evidence", help="What it tells of them: documents or counts; as the hubs agreed unless given."),
    ] = "",
) -> None:
    """Say who decides on another hub's members, and what that hub tells of them."""
    if members not in MEMBERS or evidence not in ("", "documents", "counts"):
        raise UsageError("--members is one of each, hub; --evidence one of documents, counts.")
    home = Home.open()
    full_name = own_list_name(home, name)
    chosen: Members = "hub" if members == "hub" else "each"
    session = Session.open(home)
    hub = find_hub(session, full_name, hub)
    document = choose_for_hub(session, full_name, hub=hub, members=chosen, evidence=evidence)
    out.result({"list": full_name, "hub": hub, "terms": document})
    if members == "hub":
        out.say(f"{hub} decides itself which of its members receive {full_name}.")
        out.say("Its requests that were open here are left to it.")
    else:
        out.say(
            f"You decide on each member of {hub}. Those that it granted before keep the list until you have decided."
        )
        out.say(f"Next: hashshare requests {full_name}")


def _decide(out: Output, name: str, organisation: str, decision: Decision, **details: Any) -> dict[str, Any]:
    home = Home.open()
    full_name = own_list_name(home, name)
    session = Session.open(home)
    recipient = find_recipient(session, full_name, organisation)
    subscription = decide(session, full_name, recipient=recipient, decision=decision, **details)
    document = {"list": full_name, "organisation": str(recipient), "decision": decision, "subscription": subscription}
    out.result(document)
    return document


def _tell_hub(out: Output, document: dict[str, Any]) -> None:
    if hub := document["organisation"].partition("@")[2]:
        out.say(f"{hub} learns it within a minute or two.")


def _slug(entry: dict[str, Any]) -> str:
    organisation = entry.get("organisation")
    return str(organisation.get("slug", "") if isinstance(organisation, dict) else organisation or "")


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    organisation = entry.get("organisation")
    facts = organisation if isinstance(organisation, dict) else {}
    return (
        _slug(entry),
        str(facts.get("name", "")),
        str(facts.get("country", "")),
        str(entry.get("state", "")),
        *_dates(entry),
    )


def _row_at(hub: dict[str, Any], entry: dict[str, Any]) -> tuple[str, ...]:
    """Of a member of another hub."""
    facts = (str(entry.get(key, "")) for key in ("name", "country"))
    suspended = " (suspended there)" if entry.get("suspended") else ""
    state = f"{entry.get('state', '')}{suspended}"
    return (f"{entry.get('organisation', '')}@{hub['hub']}", *facts, state, *_dates(entry))


def _hub_row(hub: dict[str, Any]) -> tuple[str, ...]:
    waiting = sum(entry.get("state") == "requested" for entry in hub["requests"])
    members, evidence = MEMBERS.get(hub["members"], hub["members"]), hub["evidence"] or "as agreed"
    until = str(hub.get("ends_at") or "-")[:10]
    return (hub["hub"], hub["country"], hub["state"], until, members, evidence, f"{waiting:,}")


def _dates(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(entry.get(key) or "")[:10] for key in ("requested_at", "ends_at"))
