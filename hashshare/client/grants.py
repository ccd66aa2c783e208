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

    @classmethod
    def parse(cls, text: str) -> Recipient:
        """Raises UsageError."""
        organisation, at, hub = text.partition("@")
        if not SHORT_NAME.fullmatch(organisation) or (at and not HUB.fullmatch(hub)):
            raise UsageError(
                f"{text!r} is not an organisation's short name.",
                next_step="Name it as `hashshare requests` shows it: cobalt, or cobalt@south.example of another hub.",
            )
        return cls(organisation, hub)


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
    if not HUB.fullmatch(hub):
        raise UsageError(f"{hub!r} is not a hub's name.", next_step="`hashshare peers LIST` shows them.")
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
    return decoded_object(session.send("POST", path, json=body))
