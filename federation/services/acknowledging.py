"""Telling the peer what of its lists is served here, in the same signed statements as any organisation's."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from django.db.models import QuerySet

from federation.models import MirroredPublisher
from federation.services.copying import Copy
from hashshare.client.acknowledging import Acknowledger
from hashshare.client.home import Home
from hashshare.client.session import Session
from hashshare.client.store import Held
from hashshare.models import HashList, StoredObject
from hashshare.services.runs import spared
from hashshare.wire.errors import NetworkError

BEGINS_AT: Final = re.compile(r"(?:base|delta)-([0-9]+)(?:-[0-9]+)?\.parquet")


def acknowledge_lists(*, home: Home, session: Session, mirror: MirroredPublisher, copied: Copy) -> None:
    """What cannot be told now is told after the next copy, within the hour; it never undoes this one."""
    with spared("The copy of %s could not be acknowledged to %s.", mirror.publisher, mirror.peer):
        know_own_name(home, session)
        acknowledger = Acknowledger(home, session)
        rows = {row.tuf_id: row for row in HashList.objects.filter(publisher=mirror.publisher)}
        for list_id, one in copied.lists.items():
            row = rows.get(list_id)
            if row is not None and row.manifest_digest == one.held.manifest_sha256:
                acknowledger.after_sync(one.store, replace(one.held, purged=purged(row, one.held)))


def know_own_name(home: Home, session: Session) -> None:
    """What this hub is called at the peer, which statements say; asked once. Raises NetworkError, NotAuthenticated."""
    config = home.config()
    if config.organisation.get("slug"):
        return
    said = session.get_json("status")
    organisation = said.get("organisation") if isinstance(said, dict) else None
    if not isinstance(organisation, dict) or not isinstance(organisation.get("slug"), str):
        raise NetworkError("The peer does not say what it calls this hub.")
    home.save_config(replace(config, organisation=organisation))


def purged(hash_list: HashList, held: Held) -> int:
    """The version up to which no withdrawn row is served here any more: superseded objects are, for a week.

    What lies in such an object may have been withdrawn at any version after the one that it begins at.
    """
    old: QuerySet[StoredObject] = StoredObject.objects.filter(list=hash_list, superseded_at__isnull=False)
    found = (BEGINS_AT.fullmatch(name) for name in old.values_list("name", flat=True))
    return min([held.purgeable, *(int(match[1]) for match in found if match)])
