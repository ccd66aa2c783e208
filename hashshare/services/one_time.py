"""Secrets that are shown once, for forms that may be sent twice: a double click makes one key, and shows it again.

The secret is kept nowhere. It follows from the hub's own secret and the form's random token, so that the same form
gives the same secret; the row that it made says until when that counts.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from django.utils.crypto import salted_hmac

from hashshare.selectors.callers import Caller

SENT_AGAIN_WITHIN: Final = timedelta(minutes=5)
"""A form that comes later is one that somebody kept, and gets nothing."""


def drawn(*, caller: Caller, purpose: str, form: str, size: int) -> bytes:
    """`size` random bytes, 32 at most; for a `form` that has a token, always the same of this caller."""
    if not form:
        return secrets.token_bytes(size)
    who = f"{caller.organisation.pk} {caller.key_id} {form}"
    return salted_hmac(f"hashshare.one-time.{purpose}", who, algorithm="sha256").digest()[:size]
