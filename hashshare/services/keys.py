"""Adding, revoking and watching organisation keys."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from hashshare.models import Organisation, OrganisationKey
from hashshare.selectors.callers import Caller
from hashshare.wire import errors
from hashshare.wire.keys import fingerprint as fingerprint_of

SEEN_EVERY = timedelta(minutes=10)


def add_key(
    *, organisation: Organisation, public_key: bytes, name: str, now: datetime, not_after: datetime | None = None
) -> OrganisationKey:
    """Register a raw 32-byte Ed25519 public key. Raises Conflict if any organisation already has it."""
    if len(public_key) != 32:
        raise errors.UsageError("An Ed25519 public key has 32 bytes.")
    try:
        with transaction.atomic():
            return OrganisationKey.objects.create(
                organisation=organisation,
                fingerprint=fingerprint_of(public_key),
                public_key=public_key,
                name=name[:200],
                created_at=now,
                not_after=not_after,
            )
    except IntegrityError as error:
        raise errors.Conflict("That key is already registered.", next_step="Make a new key pair.") from error


def revoke_key(*, organisation: Organisation, fingerprint: str, now: datetime) -> None:
    """Idempotent; requests and tokens of the key are refused from now on. Raises NotEntitled for another's key."""
    mine = OrganisationKey.objects.filter(organisation=organisation, fingerprint=fingerprint)
    if not mine.exists():
        raise errors.NotEntitled
    mine.filter(revoked_at=None).update(revoked_at=now)


def record_key_seen(*, caller: Caller, clock_skew_seconds: int, now: datetime) -> None:
    """Note when a key last signed and how far its clock was off; at most a write in ten minutes per key."""
    stale = OrganisationKey.objects.filter(fingerprint=caller.key_id)
    stale.filter(last_seen_at=None).update(last_seen_at=now, clock_skew_seconds=clock_skew_seconds)
    stale.filter(last_seen_at__lt=now - SEEN_EVERY).update(last_seen_at=now, clock_skew_seconds=clock_skew_seconds)
