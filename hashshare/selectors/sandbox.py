"""The sandbox list of this hub, if it has one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hashshare.models import HashList, Metadata, Organisation, Publisher

SLUG: Final = "sandbox"
EVERY: Final = timedelta(hours=20)
"""Between two releases, so that an hourly job makes one a day."""
RENEWED_WITHIN: Final = timedelta(days=45)
"""Half of what targets live; from then on they are signed again."""


def sandbox_publisher() -> Publisher | None:
    """The one in use: one that was given up is of a suspended organisation."""
    rows = Publisher.objects.select_related("organisation").filter(sandbox=True)
    return rows.exclude(organisation__state=Organisation.State.SUSPENDED).order_by("-created_at").first()


def sandbox_list() -> HashList | None:
    """The list with its publisher, once something is published in it."""
    rows = HashList.objects.select_related("publisher__organisation").filter(publisher__sandbox=True, version__gt=0)
    rows = rows.exclude(publisher__organisation__state=Organisation.State.SUSPENDED)
    return rows.order_by("-created_at").first()


def is_due(hash_list: HashList, *, now: datetime) -> bool:
    return hash_list.published_at is None or hash_list.published_at < now - EVERY


def targets_are_due(publisher: Publisher, *, now: datetime) -> bool:
    newest = Metadata.objects.filter(publisher=publisher, role="targets").order_by("-version").first()
    return newest is not None and newest.expires_at < now + RENEWED_WITHIN
