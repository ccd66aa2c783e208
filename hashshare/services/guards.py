"""The operator's own guard list: digests known to be harmless, which no release may hold."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from hashshare.models import GuardedDigest
from hashshare.wire import errors
from hashshare.wire.algorithms import algorithm, parse


def guard_digest(*, algorithm_name: str, text: str, note: str, now: datetime) -> GuardedDigest:
    """Refuse this digest in every release verified from now on; lists that hold it already are not touched.

    Raises UnknownAlgorithm, BadHash, Conflict (guarded already).
    """
    digest = parse(text, algorithm(algorithm_name)).hex()
    try:
        with transaction.atomic():
            return GuardedDigest.objects.create(
                algorithm=algorithm_name, digest=digest, note=note.strip()[:200], created_at=now
            )
    except IntegrityError as error:
        raise errors.Conflict("That digest is guarded already.", next_step="Nothing is left to do.") from error


def stop_guarding(*, guarded: GuardedDigest) -> None:
    """Let releases hold the digest again. Idempotent; the built-in guard list stays as it is."""
    GuardedDigest.objects.filter(pk=guarded.pk).delete()
