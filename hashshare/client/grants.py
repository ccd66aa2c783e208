"""Who may receive a publisher's list: requests, and the publisher's decisions on them. No terminal here."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from hashshare.client.answers import decoded_object
from hashshare.client.home import split_list_name
from hashshare.client.session import Session

Decision = Literal["grant", "deny", "revoke"]


def subscriptions(session: Session, name: str) -> list[dict[str, Any]]:
    """Every subscription and request to the list, as the API gives them. Raises NotEntitled unless it is ours."""
    domain, slug = split_list_name(name)
    answer = session.get_json(f"lists/{domain}/{slug}/subscriptions")
    found = answer["subscriptions"] if isinstance(answer, dict) else answer
    return [dict(entry) for entry in found]


def decide(
    session: Session, name: str, *, organisation: str, decision: Decision, until: date | None = None, reason: str = ""
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
    path = f"lists/{domain}/{slug}/subscriptions/{organisation}/decision"
    return decoded_object(session.send("POST", path, json=body))
