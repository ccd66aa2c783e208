"""Making and revoking read-only access keys, `hsk_<prefix>_<secret>`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import datetime, timedelta

from django.db import transaction

from hashshare.models import AccessKey, OrganisationKey, Person
from hashshare.selectors.callers import Caller
from hashshare.services.one_time import SENT_AGAIN_WITHIN, drawn
from hashshare.wire import errors
from hashshare.wire.plain_text import check_name

MAX_DAYS = 366


@transaction.atomic
def create_access_key(*, caller: Caller, name: str, days: int, now: datetime, form: str = "") -> tuple[AccessKey, str]:
    """The new row and the key's text, which is not kept. Raises UsageError outside 1..366 days.

    The key that signs for it, or the person at the pages, stays locked meanwhile: one that ends at this moment leaves
    no access key behind. Raises NotAuthenticated if it did. The same `form` again answers the same, as after a double
    click; raises Conflict when that is too long ago.
    """
    caller.require_write()
    if not 1 <= days <= MAX_DAYS:
        raise errors.UsageError(f"An access key lasts 1 to {MAX_DAYS} days.")
    if not name.strip():
        raise errors.UsageError("An access key needs a name.")
    check_name(name.strip(), what="The access key's name")
    made_with, made_by = signing_key(caller), signed_in_person(caller)
    prefix = drawn(caller=caller, purpose="access-key-prefix", form=form, size=4).hex()
    raw = drawn(caller=caller, purpose="access-key", form=form, size=32)
    secret = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    made = AccessKey.objects.filter(prefix=prefix, organisation=caller.organisation).first() if form else None
    if made is not None and (made.created_at < now - SENT_AGAIN_WITHIN or not secret_matches(made, secret)):
        raise errors.Conflict("This form was sent before.", next_step="Open it again to make another access key.")
    row = made or AccessKey.objects.create(
        organisation=caller.organisation,
        name=name.strip()[:200],
        prefix=prefix,
        secret_hash=digest_of(secret),
        made_with=made_with,
        made_by=made_by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return row, f"hsk_{prefix}_{secret}"


def signed_in_person(caller: Caller) -> Person | None:
    """Who acts for the own organisation at the pages, locked; None for machines and for an operator in its place."""
    if caller.via != "session":
        return None
    people = Person.objects.select_for_update(no_key=True)
    person = people.filter(email=caller.key_id, organisation=caller.organisation).first()
    if person is not None and not person.is_active:
        raise errors.NotAuthenticated
    return person


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
