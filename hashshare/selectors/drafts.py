"""Drafts as people of the list's hotline see them, and as its machine fetches what was approved."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from hashshare.models import Draft, HashList, Person
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import own_list
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors

BLOCK = 1 << 18


def drafts_seen(*, person: Person) -> QuerySet[Draft]:
    """Those of the person's hotline, newest first; an operator sees that they are, not what is in them."""
    rows = Draft.objects.select_related(
        "list__publisher__organisation", "uploaded_by", "submitted_by", "decided_by", "job", "commit_job", "release"
    )
    return rows if person.is_operator else rows.filter(list__publisher__organisation=person.organisation_id)


def draft_of(*, person: Person, draft_id: uuid.UUID) -> Draft:
    """One that the person, an analyst of the list's hotline, may work on. Raises NotEntitled."""
    _require_analyst(person)
    found = drafts_seen(person=person).filter(pk=draft_id).first()
    if found is None:
        raise errors.NotEntitled
    return found


def list_to_draft_for(*, person: Person, list_id: uuid.UUID) -> HashList:
    """A list of the analyst's own hotline. Raises NotEntitled."""
    _require_analyst(person)
    rows = HashList.objects.select_related("publisher__organisation").exclude(state=HashList.State.WITHDRAWN)
    rows = rows.filter(publisher__mirrored_from=None)
    found = rows.filter(pk=list_id, publisher__organisation=person.organisation_id).first()
    if found is None:
        raise errors.NotEntitled
    return found


def lists_to_draft_for(*, person: Person) -> list[HashList]:
    """By name."""
    _require_analyst(person)
    rows = HashList.objects.select_related("publisher").exclude(state=HashList.State.WITHDRAWN)
    rows = rows.filter(publisher__mirrored_from=None)
    return list(rows.filter(publisher__organisation=person.organisation_id).order_by("publisher__domain", "slug"))


def _require_analyst(person: Person) -> None:
    """Raises NotEntitled for anybody but an active analyst of a hotline that is not suspended."""
    organisation = person.organisation
    if (
        not person.is_active
        or person.role != Person.Role.ANALYST
        or organisation is None
        or organisation.kind != organisation.Kind.HOTLINE
        or organisation.state == organisation.State.SUSPENDED
    ):
        raise errors.NotEntitled


# --- The file ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DraftFile:
    """`blocks` are to be read once."""

    length: int
    blocks: Iterator[bytes]


def faults_file(draft: Draft) -> DraftFile:
    """The lines at fault as CSV. Raises NotFound when there are none, or no longer."""
    if not draft.errors_digest or draft.purged_at is not None:
        raise errors.NotFound("The list of faults is no longer here.")
    return _read(draft_key(draft.errors_digest, draft.pk, faults=True))


def approved_drafts(*, caller: Caller, domain: str, slug: str) -> QuerySet[Draft]:
    """What waits for the hotline's own machine. Raises NotEntitled for another's list."""
    found = own_list(caller=caller, domain=domain, slug=slug)
    rows = Draft.objects.select_related("list__publisher", "submitted_by", "decided_by")
    return rows.filter(list=found, state=Draft.State.APPROVED).order_by("decided_at")


def approved_file(*, caller: Caller, domain: str, slug: str, draft_id: uuid.UUID) -> DraftFile:
    """Raises NotEntitled, NotFound."""
    draft = approved_drafts(caller=caller, domain=domain, slug=slug).filter(pk=draft_id).first()
    if draft is None:
        raise errors.NotFound("No such upload waits to be published.")
    return _read(draft_key(draft.digest, draft.pk))


def _read(key: str) -> DraftFile:
    length = object_store().length(key)
    if length is None:
        raise errors.NotFound("The file is no longer here.")
    return DraftFile(length, object_store().read(key, first=0, length=length))


def drafts_to_drop(*, before: datetime) -> QuerySet[Draft]:
    """Open ones that nobody has touched for long, but those on their way to members."""
    busy = (Draft.State.PUBLISHING, Draft.State.PUBLISHED, Draft.State.ABANDONED)
    return Draft.objects.filter(uploaded_at__lt=before).exclude(state__in=busy)


def drafts_to_purge() -> QuerySet[Draft]:
    """Closed ones whose files are still here."""
    closed = (Draft.State.PUBLISHED, Draft.State.ABANDONED)
    return Draft.objects.filter(state__in=closed, purged_at=None)
