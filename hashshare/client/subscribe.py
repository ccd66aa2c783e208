"""The catalogue, and asking for a list under its terms."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hashshare.client.answers import decoded
from hashshare.client.home import split_list_name
from hashshare.client.session import Session
from hashshare.wire.errors import NetworkError


def catalogue(session: Session, *, query: str = "") -> list[dict[str, Any]]:
    """The lists that the hub shows to this organisation, as GET lists describes them."""
    body = session.get_json("lists", params={"q": query} if query else None)
    rows = body.get("lists") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NetworkError("The hub's answer is not a catalogue.")
    return rows


def list_detail(session: Session, name: str) -> dict[str, Any]:
    """One list with its terms. Raises NetworkError unless `terms_digest` is the SHA-256 of the terms shown: what is
    accepted must be what was read.
    """
    domain, slug = split_list_name(name)
    detail = session.get_json(f"lists/{domain}/{slug}")
    if not isinstance(detail, dict):
        raise NetworkError("The hub's answer is not a list.")
    terms = str(detail.get("terms", ""))
    if hashlib.sha256(terms.encode()).hexdigest() != detail.get("terms_digest"):
        raise NetworkError(f"The terms of {name} that the hub shows are not those that it asks to accept.")
    return detail


def request_subscription(session: Session, name: str, *, terms_digest: str) -> Mapping[str, Any]:
    """Ask for a list, accepting the terms of that digest; the subscription as the hub records it."""
    domain, slug = split_list_name(name)
    answer = decoded(session.send("POST", f"lists/{domain}/{slug}/subscriptions", json={"terms_digest": terms_digest}))
    if not isinstance(answer, dict):
        raise NetworkError("The hub's answer is not a subscription.")
    return answer
