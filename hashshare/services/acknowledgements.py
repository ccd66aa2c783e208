"""Taking members' signed statements of what they applied and purged."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings
from django.db import transaction

from hashshare.models import Acknowledgement, HashList, Leaf, Organisation, OrganisationKey, Release
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import once_entitled_list
from hashshare.selectors.logs import newest_acknowledged
from hashshare.services.logs import hidden_leaf, log_of
from hashshare.wire import errors
from hashshare.wire.log import acknowledgements as wire
from hashshare.wire.log.rows import AcknowledgementRow


@transaction.atomic
def acknowledge(*, caller: Caller, document: bytes, now: datetime) -> tuple[Acknowledgement, bool]:
    """Keep the statement (a DSSE document) and log it; true if it is new. Repeating one changes nothing.

    1. The document is signed by a key of the caller's own that is in force, and speaks of the caller at this hub.
    2. The list is one that the caller was once entitled to; that ended access may still be acknowledged.
    3. What it names is what was published. Raises MalformedAcknowledgement, BadSignature, NotEntitled, UnknownRelease.
    4. Statements of one organisation take turns. Raises Conflict for a version older than the newest acknowledged.
    """
    caller.require_write()
    stated, key = wire.verify_acknowledgement(document, public_keys=keys_in_force(caller.organisation, now))
    check_speaker(caller, stated)
    found = once_entitled_list(caller=caller, tuf_id=stated.list_id, name=stated.list_name)
    check_published(found, stated)
    Organisation.objects.select_for_update(no_key=True).get(pk=caller.organisation.pk)
    held = newest_acknowledged(caller.organisation.pk, found.pk)
    same = held.filter(version=stated.version, purged=stated.purged, manifest_digest=stated.manifest_sha256).first()
    if same is not None:
        return same, False
    newest = held.first()
    if newest is not None and newest.version > stated.version:
        raise errors.Conflict(
            f"Version {newest.version} of {found.name} was acknowledged before.",
            next_step="Nothing has to be done: another machine of your organisation is further.",
            acknowledged=newest.version,
        )
    return keep(caller, found, stated, key, document, now), True


def keys_in_force(organisation: Organisation, now: datetime) -> list[bytes]:
    """Raw public keys: those in force when a statement arrives. What it says of its own time is not asked: a key that
    was stolen and revoked could say any. A statement that was taken stands for good, whatever becomes of its key.
    """
    rows = OrganisationKey.objects.in_force(now).filter(organisation=organisation)
    return [bytes(raw) for raw in rows.values_list("public_key", flat=True)]


def check_speaker(caller: Caller, stated: wire.Acknowledgement) -> None:
    if stated.organisation != caller.organisation.slug:
        raise errors.MalformedAcknowledgement(
            "The statement speaks of another organisation than the one that sends it."
        )
    if stated.hub.rstrip("/") != settings.HASHSHARE_PUBLIC_URL:
        raise errors.MalformedAcknowledgement(f"The statement is for {stated.hub}, which is not this hub.")


def check_published(found: HashList, stated: wire.Acknowledgement) -> None:
    published = Release.objects.filter(list=found, version=stated.version, state=Release.State.PUBLISHED)
    if not published.filter(manifest_digest=stated.manifest_sha256).exists():
        raise errors.UnknownRelease(f"{found.name} was not published as version {stated.version} with that manifest.")


def keep(
    caller: Caller, found: HashList, stated: wire.Acknowledgement, key: str, document: bytes, now: datetime
) -> Acknowledgement:
    row = Acknowledgement.objects.create(
        organisation=caller.organisation,
        list=found,
        version=stated.version,
        purged=stated.purged,
        manifest_digest=stated.manifest_sha256,
        statement=document.decode(),
        key=key,
        received_at=now,
    )
    told = AcknowledgementRow(
        organisation=stated.organisation,
        list_name=stated.list_name,
        list_id=stated.list_id,
        version=stated.version,
        purged=stated.purged,
        manifest_sha256=stated.manifest_sha256,
        at=stated.at,
        statement_sha256=hashlib.sha256(document).hexdigest(),
        key=key,
    )
    leaf: Leaf = hidden_leaf(log_of(found.publisher, now=now).pk, told, now)
    leaf.organisation, leaf.list, leaf.acknowledgement = caller.organisation, found, row
    leaf.save(force_insert=True)
    return row
