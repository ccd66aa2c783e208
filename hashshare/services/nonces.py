"""Each signed request is accepted once."""

from __future__ import annotations

from datetime import datetime

from hashshare.models import OrganisationKey, UsedNonce
from hashshare.selectors.callers import Caller
from hashshare.wire import errors, limits


def accept_nonce(*, caller: Caller, nonce: str, expires_at: datetime) -> None:
    """Remember the nonce until the signature's window has passed. Raises ReplayedRequest on the second use.

    The unique constraint decides, so of two simultaneous copies one loses whatever their timing.
    """
    if not 8 <= len(nonce) <= limits.MAX_NONCE:
        raise errors.BadRequestSignature("The nonce must have 8 to 64 characters.")
    key = OrganisationKey.objects.only("pk").get(fingerprint=caller.key_id)
    _, created = UsedNonce.objects.get_or_create(key=key, nonce=nonce, defaults={"expires_at": expires_at})
    if not created:
        raise errors.ReplayedRequest


def prune_nonces(*, now: datetime) -> int:
    """Forget nonces whose signatures are too old to be accepted anyway; how many."""
    return UsedNonce.objects.filter(expires_at__lt=now).delete()[0]
