"""Recording what a peer did that it has to explain, telling the operators by mail once, and settling it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from federation.models import Finding, Peer
from hashshare.models import Person
from hashshare.services.deeds import line
from hashshare.services.reminders import one_line
from hashshare.services.runs import spared
from hashshare.services.warnings import operators
from hashshare.wire.errors import Conflict, UsageError

logger = logging.getLogger(__name__)

MOST_DOCUMENT: Final = 256 * 1024
"""Characters of one document that are kept: a root of any real size, and far more than a checkpoint."""

MAIL: Final = """\
{title}

{detail}

It is about {subject}, at the peer {peer}. What proves it is kept here:

  {hub}/admin/federation/finding/{id}/
  manage.py findings export {id} FOLDER

Nothing was changed by this hub because of it. Suspend the peer if you do not trust it until it has explained itself
({hub}/admin/), ask its operator by another channel than the hub, and show the documents to the publishers concerned.
Then say what came of it on that page: until then it stands on the overview.
"""


def record_finding(
    *, peer: Peer, kind: Finding.Kind, subject: str, detail: str, documents: Mapping[str, str], now: datetime
) -> Finding:
    """Once for as long as nobody has settled it: later ones only say that it is still so. Operators get one mail."""
    found = Finding.objects.filter(peer=peer, kind=kind, subject=subject, settled_at=None).first()
    if found is None:
        found, made = _made(peer, kind, subject, detail, documents, now)
        if made:
            logger.warning("%s: %s: %s", peer, found, detail)
            with spared("Operators could not be mailed about %s.", found):
                _tell(found)
            return found
    Finding.objects.filter(pk=found.pk).update(seen_at=now)
    return found


def _made(
    peer: Peer, kind: str, subject: str, detail: str, documents: Mapping[str, str], now: datetime
) -> tuple[Finding, bool]:
    kept = [{"name": name, "text": text[:MOST_DOCUMENT].replace("\0", "")} for name, text in documents.items()]
    made = Finding(
        peer=peer, kind=kind, subject=subject, detail=detail, documents=kept, found_at=now, seen_at=now
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return Finding.objects.get(peer=peer, kind=kind, subject=subject, settled_at=None), False
    return made, True


def _tell(found: Finding) -> None:
    people = operators()
    if not people:
        return
    text = MAIL.format(
        title=found.get_kind_display(),
        detail=found.detail,
        subject=found.subject,
        peer=found.peer,
        hub=settings.HASHSHARE_PUBLIC_URL,
        id=found.pk,
    )
    EmailMessage(one_line(f"{found.peer}: {found.get_kind_display().lower()}"), text, to=people).send()


def settle_finding(*, finding: Finding, settlement: str, by: Person | None, now: datetime) -> None:
    """`settlement`: what came of it, in a sentence; `by` is None at the hub's machine. Raises Conflict when it is
    settled already, UsageError without a word.
    """
    said = line(settlement, most=500)
    if not said:
        raise UsageError("Say what came of it.")
    rows = Finding.objects.filter(pk=finding.pk, settled_at=None)
    if not rows.update(settled_at=now, settled_by=by, settlement=said):
        raise Conflict("It is settled already.")


def evidence(finding: Finding) -> dict[str, str]:
    """File name -> text: the documents as they were, and what this hub says of them."""
    facts = {
        "kind": finding.kind,
        "peer": finding.peer.name,
        "subject": finding.subject,
        "detail": finding.detail,
        "found_at": finding.found_at.isoformat(),
        "peer_descriptor": finding.peer.descriptor,
    }
    files = {"finding.json": json.dumps(facts, indent=1, ensure_ascii=False) + "\n"}
    return files | {document["name"]: document["text"] for document in finding.documents}
