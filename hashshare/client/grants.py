"""Who may receive a publisher's list: requests, and the publisher's decisions on them. No terminal here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from hashshare.client.answers import decoded_object
from hashshare.client.home import split_list_name
from hashshare.client.session import Session
from hashshare.wire.errors import NetworkError, NotFound, UsageError
from hashshare.wire.manifest import HUB
from hashshare.wire.naming import Named, named, shown

SHORT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")

PAGE: Final = 200
MOST_PAGES: Final = 10_000
"""Of hubs and their members' requests: more than any hub keeps of one list."""

Decision = Literal["grant", "deny", "revoke"]
Members = Literal["each", "hub"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """An organisation of this hub, or with `hub` a member of another: `cobalt`, `cobalt@south.example`."""

    organisation: str
    hub: str = ""

    def __str__(self) -> str:
        return f"{self.organisation}@{self.hub}" if self.hub else self.organisation


def find_recipient(session: Session, name: str, text: str) -> Recipient:
    """Whom a person means, of those that asked for the list or have it: by short name, name, or domain; with `@` and a
    hub's name or short name, of that hub's members.

    Raises UsageError where it may be several, or is no name, NotFound for a member or hub that has not asked.
    """
    who, at, of = text.rpartition("@") if "@" in text else (text, "", "")
    hub = find_hub(session, name, of) if at else ""
    return Recipient(_key(who, _candidates(session, name, hub), name), hub)


def find_hub(session: Session, name: str, text: str) -> str:
    """The name of the hub that asked for the list, by name or short name. Raises NotFound, UsageError."""
    _check_hub(text)
    known = [Named(hub["hub"], (hub["organisation"],), hub["state"]) for hub in peers(session, name)]
    return named(text, known, kind="hub", did=f"has asked for {name}").key


def _check_hub(text: str) -> None:
    if not HUB.fullmatch(text):
        raise UsageError(f"{text[:80]!r} is not a hub's name.", next_step="`hashshare peers LIST` shows them.")


def _candidates(session: Session, name: str, hub: str) -> list[Named]:
    """Who asked for the list or has it: at this hub, or at another."""
    if not hub:
        return [_of_this_hub(row) for row in subscriptions(session, name)]
    rows = [row for each in peers(session, name) if each["hub"] == hub for row in each["requests"]]
    return [Named(row["organisation"], (row.get("name", ""),), row["state"]) for row in rows]


def _of_this_hub(row: dict[str, Any]) -> Named:
    it = row["organisation"]
    return Named(it["slug"], (it.get("name", ""), *it.get("domains", ())), row["state"])


def _key(who: str, among: list[Named], name: str) -> str:
    """A short name that nobody has is the hub's to judge: a private list may be granted to who never asked."""
    try:
        return named(who, among, kind="organisation", did=f"has asked for {name}").key
    except NotFound as error:
        if SHORT_NAME.fullmatch(who):
            return who
        raise UsageError(error.message, next_step=error.next_step) from error


def subscriptions(session: Session, name: str) -> list[dict[str, Any]]:
    """Every subscription and request to the list, as the API gives them. Raises NotEntitled unless it is ours."""
    domain, slug = split_list_name(name)
    answer = session.get_json(f"lists/{domain}/{slug}/subscriptions")
    found = answer["subscriptions"] if isinstance(answer, dict) else answer
    return [dict(entry) for entry in found]


def peers(session: Session, name: str) -> list[dict[str, Any]]:
    """The hubs that receive the list or asked for it, with their members' requests, as the API gives them on all of its
    pages; none where the hub stands alone. Raises NetworkError for pages that never end.
    """
    domain, slug = split_list_name(name)
    found: dict[str, dict[str, Any]] = {}
    after = ""
    for _ in range(MOST_PAGES):
        try:
            page = session.get_json(f"lists/{domain}/{slug}/peers", params={"after": after, "limit": str(PAGE)})
        except NotFound:
            return []
        hubs, following = _page(page, name)
        for hub in hubs:
            known = found.setdefault(hub["organisation"], hub)
            if known is not hub:
                known["requests"] += hub["requests"]
        if not following:
            return sorted(found.values(), key=lambda hub: hub["hub"])
        if following == after:
            break
        after = following
    raise NetworkError(f"The hub's pages about the other hubs of {name} never end.")


def _page(answer: Any, name: str) -> tuple[list[dict[str, Any]], str]:
    """The hubs of a page, and what to ask for next. Raises NetworkError for an answer that makes no sense."""
    hubs = answer.get("peers") if isinstance(answer, dict) else None
    if not isinstance(hubs, list) or not all(
        isinstance(hub, dict)
        and isinstance(hub.get("requests"), list)
        and all(isinstance(hub.get(field), str) for field in ("hub", "organisation"))
        for hub in hubs
    ):
        raise NetworkError(f"The hub's answer about the other hubs of {name} makes no sense.")
    return [dict(hub) for hub in hubs], str(answer.get("next") or "")


def choose_for_hub(session: Session, name: str, *, hub: str, members: Members, evidence: str = "") -> dict[str, Any]:
    """Who decides on the hub's members, and what it is to tell of them. Raises UsageError for what is no hub's name,
    NotFound when the hub has not asked for the list.
    """
    _check_hub(hub)
    domain, slug = split_list_name(name)
    path = f"lists/{domain}/{slug}/peers/{hub}/terms"
    return decoded_object(session.send("PUT", path, json={"members": members, "evidence": evidence}))


def decide(
    session: Session,
    name: str,
    *,
    recipient: Recipient,
    decision: Decision,
    until: date | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """Grant (until the start of that day in UTC, or without end), deny or revoke; the subscription as it now stands.

    Raises Conflict when it is not in a state that allows it, NotFound when the organisation never asked.
    """
    domain, slug = split_list_name(name)
    body: dict[str, Any] = {"decision": decision}
    if until is not None:
        body["until"] = until.isoformat()
    if reason:
        body["reason"] = reason
    path = f"lists/{domain}/{slug}/subscriptions/{recipient.organisation}/decision"
    if recipient.hub:
        path = f"lists/{domain}/{slug}/peers/{recipient.hub}/requests/{recipient.organisation}/decision"
    try:
        return decoded_object(session.send("POST", path, json=body))
    except NotFound as error:
        these = _candidates(session, name, recipient.hub)
        raise NotFound(error.message, next_step=f"These have: {shown(these)}." if these else "None has.") from error
