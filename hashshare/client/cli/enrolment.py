"""`enroll`, `pin`, `lists`, `subscribe`: how a member comes to receive lists."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hashshare.client import replacing, trust
from hashshare.client.cli.output import Output, command, count, short
from hashshare.client.enrol import enrol, meet_publisher, organisation_text
from hashshare.client.home import Home, checked_domain, split_list_name
from hashshare.client.intervals import forget_asked
from hashshare.client.session import Session
from hashshare.client.subscribe import catalogue, list_detail, request_subscription
from hashshare.wire.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "enroll")(enroll)
    command(app, "pin")(pin)
    command(app, "lists")(lists)
    command(app, "subscribe")(subscribe)


def enroll(
    out: Output,
    url: Annotated[str, typer.Argument(metavar="URL", help="The hub's https:// address.")],
    code: Annotated[str, typer.Argument(metavar="CODE", help="The one-time code from the hub's operator.")],
    key_name: Annotated[str, typer.Option("--key-name", help="What the hub calls this machine's key.")] = "",
) -> None:
    """Make this machine's key known to a hub."""
    home = Home.open()
    with home.lock("enroll"):
        enrolled = enrol(home, url, code, key_name=key_name)
    config = enrolled.config
    out.result(
        {
            "hub": config.hub_url,
            "organisation": dict(config.organisation),
            "key": config.key_id,
            "home": str(home.path),
            "publishers": [publisher_json(known) for known in enrolled.publishers],
            "refused": [{"publisher": domain, "detail": error.message} for domain, error in enrolled.refused],
        }
    )
    out.say(f"Enrolled as {organisation_text(config.organisation)} with key {config.key_id}. Kept in {home.path}.")
    if enrolled.publishers:
        out.say("Publishers here, on the hub's word until you pin them:")
        for known in enrolled.publishers:
            out.fingerprint(f"  {known.domain}   root ", known.fingerprint, f"   {known.state}")
        out.say("Ask each for its fingerprint over another channel, then: hashshare pin PUBLISHER FINGERPRINT")
    for domain, error in enrolled.refused:
        out.warn(f"{domain}: {error.message} {error.next_step}")


def pin(
    out: Output,
    publisher: Annotated[str, typer.Argument(metavar="PUBLISHER", help="Its domain, such as aurora.example.")],
    fingerprint: Annotated[
        list[str], typer.Argument(metavar="FINGERPRINT", help="Its root's, from another channel than the hub.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="The publisher had to start anew: in place of the root that is held.")
    ] = False,
) -> None:
    """Confirm a publisher's root by the fingerprint that it gave you itself."""
    home = Home.open()
    if replace:
        _replace(out, replacing.plan(home, checked_domain(publisher), "".join(fingerprint)))
        return
    forget_asked(home)
    known = trust.pin(home, checked_domain(publisher), "".join(fingerprint))
    out.result(publisher_json(known))
    if known.state == "pinned":
        out.say(f"{known.domain} is pinned; its root will be checked when it is first met.")
    else:
        out.say(f"{known.domain} is confirmed: its root is the one you named.")


def _replace(out: Output, known: trust.Publisher) -> None:
    out.result(publisher_json(known))
    if not known.successor:
        out.say(f"{known.domain} keeps the root that is held: it is the one you named.")
        return
    out.say(f"{known.domain}: the root you named takes the place of the one held once the hub serves it and all under")
    out.say("it verifies: hashshare sync. Until then the one held stays in use. To take this back:")
    out.fingerprint(f"  hashshare pin {known.domain} ", known.fingerprint)


def lists(
    out: Output,
    query: Annotated[str, typer.Argument(metavar="WORDS", help="Only lists that have these words.")] = "",
) -> None:
    """The hub's catalogue and your subscriptions."""
    rows = catalogue(Session.open(Home.open()), query=query)
    out.result({"lists": rows})
    if not rows:
        out.say("The hub shows no lists to your organisation.")
        return
    headings = ("LIST", "TITLE", "HASHES", "ENTRIES", "VERSION", "YOURS")
    out.table(headings, [_catalogue_row(row) for row in rows], right=(3, 4))
    for row in rows:
        if row.get("hosted"):
            out.say(f"{row.get('name')} is hosted: the hub signs for the hotline.")
    if not any(row.get("subscription") or row.get("own") for row in rows):
        out.say("Ask for one: hashshare subscribe LIST")


def _catalogue_row(row: dict[str, Any]) -> tuple[str, ...]:
    subscription = row.get("subscription") or {}
    until = str(subscription.get("ends_at") or "")[:10]
    yours = "own" if row.get("own") else str(subscription.get("state") or "-")
    return (
        str(row.get("name")),
        str(row.get("title") or ""),
        ", ".join(map(str, row.get("algorithms") or [])),
        count(int(row.get("entries") or 0)),
        str(row.get("version") or "-"),
        f"{yours} until {until}" if until and yours == "active" else yours,
    )


def subscribe(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Such as aurora.example/images.")],
    root: Annotated[str, typer.Option("--root", help="Pin the publisher's root by this fingerprint as well.")] = "",
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help="Accept the list's terms unasked.")] = False,
) -> None:
    """Ask for a list. Its terms are shown and have to be accepted; the publisher then decides."""
    home = Home.open()
    session = Session.open(home)
    domain, _ = split_list_name(name)
    if root:
        trust.pin(home, domain, root)
    detail = list_detail(session, name)
    known = meet_publisher(home, session, domain)
    _agree(out, name, str(detail.get("terms", "")), accepted=accept_terms)
    subscription = request_subscription(session, name, terms_digest=str(detail["terms_digest"]))
    forget_asked(home)
    state = str(subscription.get("state", "requested"))
    out.result({"list": name, "subscription": dict(subscription), "publisher": publisher_json(known)})
    decides = f" {_who_decides(domain, subscription)}; `hashshare status` shows when." if state == "requested" else ""
    out.say(f"{name}: {state}.{decides}")
    warn_unconfirmed(out, [known])


def _who_decides(domain: str, subscription: Mapping[str, Any]) -> str:
    if subscription.get("decides") == "hub":
        return "The operator of this hub decides, to whom the publisher has left it"
    where = f" at {subscription['waits_at']}" if subscription.get("waits_at") else ""
    return f"{domain} decides{where}"


def _agree(out: Output, name: str, terms: str, *, accepted: bool) -> None:
    if accepted:
        return
    if out.as_json or not sys.stdin.isatty():
        raise UsageError(
            f"The terms of {name} have to be accepted by a person.",
            next_step="Read them here without --json, or give --accept-terms if that was done.",
        )
    out.say(f"Terms of {name}:")
    out.say()
    out.say(terms or "(none)")
    out.say()
    if not typer.confirm("Does your organisation accept them?"):
        raise UsageError("Nothing was asked for.")


def publisher_json(known: trust.Publisher) -> dict[str, Any]:
    """As every command's --json shows a publisher."""
    successor = {"successor": known.successor} if known.successor else {}
    return {"publisher": known.domain, "fingerprint": known.fingerprint, "trust": known.state, **successor}


def warn_unconfirmed(out: Output, known: list[trust.Publisher]) -> None:
    """Say, until it is no longer so, that a publisher is believed on the hub's word only."""
    for publisher in known:
        if publisher.state == "unconfirmed":
            out.warn(
                f"{publisher.domain} is unconfirmed (root {short(publisher.fingerprint)}): ask it for its fingerprint, "
                f"then hashshare pin {publisher.domain} FINGERPRINT"
            )
