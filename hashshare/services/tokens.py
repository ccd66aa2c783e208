"""Stateless bearer tokens for reading: ten minutes, tied to the key that asked for them, no row anywhere."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer

from hashshare.selectors.callers import Caller
from hashshare.wire import errors, limits

SALT = "hashshare.token"


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    expires_at: datetime
    expires_in: int


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a token says: the key that it was issued to, by its fingerprint, and whose that is."""

    fingerprint: str
    organisation: uuid.UUID
    kind: str


def issue_token(*, caller: Caller, now: datetime) -> Token:
    """Raises NotAllowed unless the caller signed the request: a token never begets a token."""
    if caller.via != "signature":
        raise errors.NotAllowed
    ends = now + timedelta(seconds=limits.TOKEN_SECONDS)
    who = caller.organisation
    payload = json.dumps([caller.key_id, int(ends.timestamp()), who.pk.hex, who.kind]).encode()
    text = Signer(salt=SALT, sep=".").sign(base64.urlsafe_b64encode(payload).decode().rstrip("="))
    return Token("hst." + text, ends, limits.TOKEN_SECONDS)


def read_token(*, text: str, now: datetime) -> Bearer:
    """Whose it is, without asking the database. Raises NotAuthenticated if forged or out of date."""
    mark, _, signed = text.partition(".")
    try:
        payload = Signer(salt=SALT, sep=".").unsign(signed) if mark == "hst" else ""
        fingerprint, ends, who, kind = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (BadSignature, ValueError) as error:
        raise errors.NotAuthenticated from error
    if datetime.fromtimestamp(ends, UTC) <= now:
        raise errors.NotAuthenticated("The token has expired.", next_step="Ask for a new one with a signed request.")
    return Bearer(str(fingerprint), uuid.UUID(who), str(kind))
