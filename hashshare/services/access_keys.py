"""Making and revoking read-only access keys, `hsk_<prefix>_<secret>`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta

from django.db import transaction

from hashshare.models import AccessKey, OrganisationKey
from hashshare.selectors.callers import Caller
from hashshare.wire import errors

MAX_DAYS = 366


@transaction.atomic
def create_access_key(*, caller: Caller, name: str, days: int, now: datetime) -> tuple[AccessKey, str]:
    """The new row and the key's text, which is not kept. Raises UsageError outside 1..366 days.

    The key that signs for it stays locked meanwhile: one that is revoked at this moment leaves no access key behind.
    Raises NotAuthenticated if it was.
    """
    caller.require_write()
    if not 1 <= days <= MAX_DAYS:
        raise errors.UsageError(f"An access key lasts 1 to {MAX_DAYS} days.")
    if not name.strip():
        raise errors.UsageError("An access key needs a name.")
    prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    row = AccessKey.objects.create(
        organisation=caller.organisation,
        name=name.strip()[:200],
        prefix=prefix,
        secret_hash=digest_of(secret),
        made_with=signing_key(caller),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return row, f"hsk_{prefix}_{secret}"


def signing_key(caller: Caller) -> OrganisationKey | None:
    """The caller's key, locked; None for a person at the pages."""
    mine = OrganisationKey.objects.filter(organisation=caller.organisation, fingerprint=caller.key_id)
    key = mine.select_for_update(no_key=True).first()
    if key is not None and key.revoked_at is not None:
        raise errors.NotAuthenticated
    return key


def revoke_access_key(*, caller: Caller, access_key_id: uuid.UUID, now: datetime) -> None:
    """Idempotent. Raises NotEntitled for a key that is not the caller's own."""
    caller.require_write()
    mine = AccessKey.objects.filter(pk=access_key_id, organisation=caller.organisation)
    if not mine.exists():
        raise errors.NotEntitled
    mine.filter(revoked_at=None).update(revoked_at=now)


def split_access_key(text: str) -> tuple[str, str]:
    """Prefix and secret. Raises NotAuthenticated for any other text."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != "hsk" or not prefix or not secret or len(text) > 128 or not text.isprintable():
        raise errors.NotAuthenticated
    return prefix, secret


def digest_of(secret: str) -> str:
    """The secret has 256 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_matches(row: AccessKey, secret: str) -> bool:
    return hmac.compare_digest(row.secret_hash, digest_of(secret))
