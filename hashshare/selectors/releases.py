"""Releases: everything to the publisher, published ones to those who may read the list."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from hashshare.models import HashList, Release
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import readable_lists
from hashshare.selectors.majors import Window, window
from hashshare.wire import errors


def releases(*, caller: Caller, domain: str, slug: str, now: datetime, before: int | None = None) -> QuerySet[Release]:
    """Newest first, of content versions below `before` if that is given. Raises NotEntitled."""
    found = _readable(caller, domain, slug, now)
    rows = Release.objects.select_related("list__publisher", "commit__job").filter(list=found)
    if found.publisher.organisation_id != caller.organisation.pk:
        rows = rows.filter(state=Release.State.PUBLISHED)
    if before is not None:
        rows = rows.filter(version__lt=before)
    return rows.order_by("-version", "-created_at")


def loss_window(*, caller: Caller, domain: str, slug: str, now: datetime) -> Window | None:
    """What the list's publisher may still take from it without a major; None to others. Raises NotEntitled."""
    found = _readable(caller, domain, slug, now)
    return window(found, now=now) if found.publisher.organisation_id == caller.organisation.pk else None


def _readable(caller: Caller, domain: str, slug: str, now: datetime) -> HashList:
    lists = readable_lists(caller=caller, now=now).select_related("publisher")
    found = lists.filter(publisher__domain=domain, slug=slug).first()
    if found is None:
        raise errors.NotEntitled
    return found


def release(*, caller: Caller, domain: str, slug: str, version: int, now: datetime) -> Release:
    """The newest release with that content version. Raises NotEntitled, NotFound."""
    found = releases(caller=caller, domain=domain, slug=slug, now=now).filter(version=version).first()
    if found is None:
        raise errors.NotFound(f"There is no release {version} of {domain}/{slug}.")
    return found
