"""Noting what a person did, in the table and in the hub's log, together with the deed itself."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Model

from hashshare.models import Deed, Person
from hashshare.selectors.deeds import row_of
from hashshare.services.logs import hidden_leaf, log_of_publications
from hashshare.wire.log.leaves import DEED

UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


@transaction.atomic
def note_deed(
    *, person: Person | None, what: str, now: datetime, about: Model | str = "", reason: str = "", noted: str = ""
) -> Deed:
    """Call it in the transaction of the deed, so that both stand or fall together; `person` is None at the machine.

    `what` in a few words, as on the button; `about` a row, whose history shows it then, or a name; `noted` whatever
    else is worth keeping, never a secret. Every text is kept on one line and cut to its column.
    """
    deed = Deed(
        person=person,
        role=person.role if person else "",
        organisation=person.organisation if person else None,
        what=line(what, most=120),
        about=line(str(about), most=255),
        noted=noted.replace("\0", "")[:10_000],
        reason=line(reason, most=500),
        at=now,
    )
    if isinstance(about, Model):
        deed.table, deed.row = about._meta.label_lower, str(about.pk)
    deed.save(force_insert=True)
    leaf = hidden_leaf(log_of_publications(now=now).pk, row_of(deed), now, label=DEED)
    leaf.deed = deed
    leaf.save(force_insert=True)
    return deed


def line(text: str, *, most: int) -> str:
    """Without line breaks and control characters, at most so many characters."""
    return UNPRINTABLE.sub(" ", text).strip()[:most]
