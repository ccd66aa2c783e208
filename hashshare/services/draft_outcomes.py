"""What became of an approved draft whose release the hotline's own machine signed."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import F

from hashshare.models import Draft, Release
from hashshare.selectors.callers import Caller
from hashshare.selectors.drafts import approved_drafts
from hashshare.selectors.entitlements import own_list
from hashshare.services.draft_work import purge_draft
from hashshare.wire import errors


@transaction.atomic
def record_outcome(
    *, caller: Caller, domain: str, slug: str, draft_id: uuid.UUID, version: int, now: datetime
) -> Draft:
    """The list says at `version` what the draft says. Telling it again changes nothing.

    Raises NotEntitled (another's list), NotFound (no such draft; no such published version), Conflict.
    """
    caller.require_write()
    found = own_list(caller=caller, domain=domain, slug=slug)
    release = Release.objects.filter(list=found, version=version, state=Release.State.PUBLISHED).first()
    draft = Draft.objects.select_for_update().filter(list=found, pk=draft_id).first()
    if draft is None or release is None:
        raise errors.NotFound("There is no such upload, or no such version.")
    if draft.state == Draft.State.PUBLISHED and draft.release_id == release.pk:
        return draft
    if not approved_drafts(caller=caller, domain=domain, slug=slug).filter(pk=draft.pk).exists():
        raise errors.Conflict(f"This upload is “{draft.get_state_display().lower()}”, not waiting to be published.")
    Draft.objects.filter(pk=draft.pk).update(
        state=Draft.State.PUBLISHED, release=release, closed_at=now, revision=F("revision") + 1
    )
    transaction.on_commit(lambda: purge_draft(draft, now=now))
    draft.refresh_from_db()
    return draft
