"""Releases: everything to the publisher, published ones to those who may read the list."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from hashshare.models import Release
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import readable_lists
from hashshare.wire import errors


def releases(*, caller: Caller, domain: str, slug: str, now: datetime) -> QuerySet[Release]:
    """Newest first. Raises NotEntitled."""
    found = readable_lists(caller=caller, now=now).filter(publisher__domain=domain, slug=slug).first()
    if found is None:
        raise errors.NotEntitled
    rows = Release.objects.select_related("list__publisher", "commit__job").filter(list=found)
    if found.publisher.organisation_id != caller.organisation.pk:
        rows = rows.filter(state=Release.State.PUBLISHED)
    return rows.order_by("-version", "-created_at")


def release(*, caller: Caller, domain: str, slug: str, version: int, now: datetime) -> Release:
    """The newest release with that content version. Raises NotEntitled, NotFound."""
    found = releases(caller=caller, domain=domain, slug=slug, now=now).filter(version=version).first()
    if found is None:
        raise errors.NotFound(f"There is no release {version} of {domain}/{slug}.")
    return found
