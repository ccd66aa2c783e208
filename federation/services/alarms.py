"""A mirror that stopped for a person to look at it, and what that person does then."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from federation.models import MirroredPublisher
from hashshare.models import Beginning, Publisher
from hashshare.services.beginnings import ALLOWED_FOR
from hashshare.wire import errors
from hashshare.wire.fingerprints import parse_fingerprint


@transaction.atomic
def follow_again(
    *, mirror: MirroredPublisher, fingerprint: str, by: str, reason: str, now: datetime
) -> MirroredPublisher:
    """Follow a publisher again after an alarm, under the root that its officers named over another channel.

    What the peer serves now is then taken as right although it contradicts what was copied before; until it has been
    copied and verified, the last good state is served on. Another root than the one before is told in the public log
    with the copy, and members have to pin it themselves, as at home. Raises UsageError, Conflict.
    """
    locked = MirroredPublisher.objects.select_for_update().get(pk=mirror.pk)
    if locked.state != MirroredPublisher.State.ALARMED:
        raise errors.Conflict(f"{mirror.publisher} is not stopped: {locked.get_state_display().lower()}.")
    if not reason.strip():
        raise errors.UsageError("Say why: other operators and auditors read it.")
    root = parse_fingerprint(fingerprint)
    publisher = Publisher.objects.select_for_update().get(pk=locked.publisher_id)
    if root != publisher.root_fingerprint and publisher.root_fingerprint:
        Beginning.objects.filter(publisher=publisher, withdrawn_at=None, begun_at=None).update(withdrawn_at=now)
        Beginning.objects.create(
            publisher=publisher,
            before=publisher.root_fingerprint,
            allowed_by=by,
            reason=reason.strip()[:500],
            allowed_at=now,
            ends_at=now + ALLOWED_FOR,
        )
    locked.root, locked.state, locked.trouble = root, MirroredPublisher.State.FOLLOWING, None
    locked.failures, locked.tried_at, locked.copied_at = 0, None, None
    locked.generation += 1
    locked.save()
    return locked
