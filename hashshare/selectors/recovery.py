"""Whether this hub was restored from a backup and is not yet itself again."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Value

from hashshare.models import Publisher, Restoration
from hashshare.wire.errors import HubRestored

PAUSE = 3600
"""Seconds after which asking again may help; longer than programs wait by themselves."""


def is_restored() -> bool:
    """True from a restore until `manage.py recover`: nothing is changed, nothing signed."""
    return Restoration.objects.filter(recovered_at=None).exists()


def what_is_awaited() -> tuple[bool, list[str]]:
    """Whether an operator has to recover it, and the publishers whose word is outstanding, by domain: one question."""
    restored = Restoration.objects.filter(recovered_at=None).order_by().values_list(Value(""), "backup")
    awaited = Publisher.objects.exclude(awaited_since=None).order_by().values_list("domain", Value(""))
    rows = list(restored.union(awaited, all=True))
    return any(backup for _, backup in rows), sorted(domain for domain, _ in rows if domain)


def refuse_restored() -> None:
    """Raises HubRestored in that time."""
    if is_restored():
        raise HubRestored(retry_after=PAUSE)


def refuse_awaited(publisher: Publisher) -> None:
    """Raises HubRestored while the hub may lack what it had served of this publisher: what it has is then no longer
    said to be the newest, since everybody who has seen more would rightly call it a rollback.
    """
    refuse_restored()
    if publisher.awaited_since is not None:
        raise HubRestored(
            f"This hub was restored from a backup and waits for {publisher.domain} to send what it may lack.",
            next_step="What is held here stays in use. The publisher's program does it with its next publication, "
            f"refresh, or: hashshare publisher resend {publisher.domain}",
            retry_after=PAUSE,
            publisher=publisher.domain,
        )


def refuse_retired(witness_key: bytes) -> None:
    """Raises HubRestored for a witness's key (raw, public) that came back with a backup: with it this hub may have
    cosigned what it no longer knows, and would contradict itself.
    """
    if Restoration.objects.filter(witness_key=witness_key.hex()).exists():
        raise HubRestored(
            "This hub was restored from a backup, and cosigns nothing more with the key that it had before.",
            next_step="manage.py recover makes another. On each further machine, put witness.pem of the machine where "
            "it ran in the place of the one there.",
            retry_after=PAUSE,
        )


def newest_backup() -> datetime | None:
    """When the backup was made from which this hub was restored last; None for a hub that never was."""
    return Restoration.objects.order_by("-restored_at").values_list("made_at", flat=True).first()


def awaited_publishers() -> list[Publisher]:
    """Whose word is still outstanding, by domain."""
    return list(Publisher.objects.exclude(awaited_since=None).select_related("organisation").order_by("domain"))
