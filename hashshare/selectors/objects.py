"""Objects that may be served: named by a published manifest of a list that the caller may read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hashshare.models import HashList, Release, StoredObject
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import readable_list
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import errors

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class TargetObject:
    """`key` is the object's name in the store."""

    list: HashList
    name: str
    digest: str
    length: int
    key: str

    @property
    def is_manifest(self) -> bool:
        return self.name == MANIFEST


def target_object(*, caller: Caller, domain: str, list_id: str, digest: str, name: str, now: datetime) -> TargetObject:
    """Raises NotEntitled, and NotFound for a reader of the list when no published manifest names the object."""
    found = readable_list(caller=caller, domain=domain, tuf_id=list_id, now=now)
    row = StoredObject.objects.filter(list=found, digest=digest, name=name, published_at__isnull=False).first()
    if row is None:
        raise errors.NotFound
    return TargetObject(found, name, digest, row.length, object_key(list_id, digest, name))


def read_whole(target: TargetObject) -> bytes:
    """The bytes of a small object. Raises FileNotFoundError."""
    return b"".join(object_store().read(target.key, first=0, length=target.length))


def manifest_version(*, target: TargetObject) -> int:
    """The content version of a published manifest. Nearly always it is the one that is served."""
    if target.digest == target.list.manifest_digest:
        return target.list.version
    rows = Release.objects.filter(list=target.list, manifest_digest=target.digest, state=Release.State.PUBLISHED)
    return rows.values_list("version", flat=True).first() or target.list.version
