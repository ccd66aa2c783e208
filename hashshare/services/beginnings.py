"""A publisher that lost its root begins anew under its own name: an operator allows it, its hotline's commit does it.

Until that commit all stays as it is. With it, in one transaction, root and targets of the new officers take the place
of those that stand, which are kept aside; lists keep their ids, content, versions, subscriptions and statements. The
public log says that it happened. No member follows before a person there has named the new root.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from hashshare.models import Beginning, FormerMetadata, Metadata, Publisher
from hashshare.selectors.beginnings import open_beginning
from hashshare.selectors.entitlements import refuse_mirrored
from hashshare.selectors.recovery import refuse_restored
from hashshare.services.logs import add_replacement
from hashshare.services.timestamps import version_of
from hashshare.wire import errors
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.log.replacements import RootReplaced

ALLOWED_FOR: Final = timedelta(days=30)
"""For a ceremony of new officers; a door that was forgotten does not stay open."""
HUB_ROLES: Final = ("snapshot", "timestamp")
MAX_REASON: Final = 500


@transaction.atomic
def allow_beginning(*, domain: str, root_now: str, by: str, reason: str, now: datetime) -> Beginning:
    """Let the publisher commit another first root, once, within 30 days; allowing it again changes nothing.

    `root_now` is the fingerprint of the root that is to be replaced, so that a slip names no other publisher.
    Raises NotFound, UsageError, Conflict while a restored hub awaits the publisher, Mirrored, HubRestored.
    """
    refuse_restored()
    publisher = locked(domain)
    refuse_mirrored(publisher)
    if not reason.strip() or len(reason) > MAX_REASON:
        raise errors.UsageError(f"Say why, in at most {MAX_REASON} characters: other operators and auditors read it.")
    if not publisher.root_fingerprint:
        raise errors.UsageError(f"{domain} has no root yet: its hotline begins with hashshare publisher init {domain}.")
    if parse_fingerprint(root_now) != publisher.root_fingerprint:
        raise errors.UsageError(
            f"The root of {domain} here is {publisher.root_fingerprint}, not the one you name. Nothing was changed.",
            next_step="Ask the hotline once more which fingerprint its members have.",
        )
    if publisher.awaited_since is not None:
        raise errors.Conflict(f"This hub was restored, and waits for {domain} to send what it lost: that comes first.")
    standing = open_beginning(publisher, now=now)
    if standing is not None:
        return standing
    Beginning.objects.filter(publisher=publisher, withdrawn_at=None, begun_at=None).update(withdrawn_at=now)
    return Beginning.objects.create(
        publisher=publisher,
        before=publisher.root_fingerprint,
        allowed_by=by,
        reason=reason.strip(),
        allowed_at=now,
        ends_at=now + ALLOWED_FOR,
    )


@transaction.atomic
def withdraw_beginning(*, domain: str, now: datetime) -> Beginning:
    """Close the door again before it was used. Raises NotFound, UsageError when it is not open."""
    standing = open_beginning(locked(domain), now=now)
    if standing is None:
        raise errors.UsageError(f"{domain} is not allowed to begin anew. Nothing was changed.")
    standing.withdrawn_at = now
    standing.save(update_fields=["withdrawn_at"])
    return standing


def locked(domain: str) -> Publisher:
    publisher = Publisher.objects.select_for_update().filter(domain=domain).first()
    if publisher is None:
        raise errors.NotFound(f"{domain} is not a publisher of this hub.")
    return publisher


def replace_root(publisher: Publisher, *, fingerprint: str, now: datetime) -> None:
    """Keep aside all that is signed under the root that stands, and say so in the public log.

    1. The door is used: a second commit finds it closed. 2. What the publisher signed is kept, out of use. 3. Snapshots
    and timestamps go on above the versions that members saw. 4. The leaf comes before that of the new root.

    Call in the transaction that accepts the new root, with the publisher's row locked. Raises Conflict.
    """
    beginning = open_beginning(publisher, now=now)
    if beginning is None:
        raise errors.Conflict(f"{publisher.domain} is not allowed to begin anew.")
    beginning.after, beginning.begun_at = fingerprint, now
    beginning.save(update_fields=["after", "begun_at"])
    standing = Metadata.objects.filter(publisher=publisher, list=None)
    FormerMetadata.objects.bulk_create(
        [
            FormerMetadata(
                beginning=beginning,
                role=row.role,
                version=row.version,
                body=row.content,
                sha256=row.sha256,
                accepted_at=row.accepted_at,
            )
            for row in standing.exclude(role__in=HUB_ROLES)
        ]
    )
    publisher.version_floor = max(publisher.version_floor, *(version_of(publisher, role) for role in HUB_ROLES))
    publisher.save(update_fields=["version_floor"])
    standing.delete()
    add_replacement(RootReplaced(publisher.domain, beginning.before, fingerprint, now.replace(microsecond=0)), now=now)
