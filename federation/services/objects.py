"""The bytes of a verified copy, on their way into the object store. Nothing of them is served before their rows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db.models import QuerySet

from federation.services.copying import Copy
from hashshare.models import HashList, StoredObject
from hashshare.services.objects import size_limit
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire.objects import ObjectRef

BLOCK: Final = 1 << 20


def store_bytes(copied: Copy, rows: Mapping[str, HashList], now: datetime) -> None:
    """Put every object that is not there yet into the object store, hashed once more on the way, with its row.

    What a killed worker leaves has rows that no release names; it is taken up by the next attempt, or pruned.
    """
    for list_id, one in copied.lists.items():
        there = dict(_rows(rows[list_id]).values_list("digest", "length"))
        for ref in one.refs:
            _store(rows[list_id], ref, _blocks(one.path(ref)), now, known=ref.sha256 in there)
    for ref, body in copied.documents.items():
        _store(rows[ref.list_id], ref, iter([body]), now, known=False)


def _rows(hash_list: HashList) -> QuerySet[StoredObject]:
    return StoredObject.objects.filter(list=hash_list)


def _store(hash_list: HashList, ref: ObjectRef, blocks: Iterator[bytes], now: datetime, *, known: bool) -> None:
    key = object_key(ref.list_id, ref.sha256, ref.name)
    if known and object_store().length(key) == ref.length and _rows(hash_list).filter(digest=ref.sha256, name=ref.name):
        return
    length = object_store().receive(key, blocks, limit=size_limit(ref.name))
    StoredObject.objects.update_or_create(
        list=hash_list, digest=ref.sha256, name=ref.name, defaults={"length": length, "uploaded_at": now}
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
