"""Taking in uploaded objects, and removing those that nothing names any more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from hashshare.models import Commit, HashList, Publisher, StoredObject
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import home_publisher
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import errors, limits
from hashshare.wire.major import MAJOR_NAME

KEPT_AFTER_SUPERSEDED = timedelta(days=7)
KEPT_UNPUBLISHED = timedelta(days=14)
KEPT_UNFINISHED = timedelta(days=1)
KEPT_WANTED = timedelta(days=1)
"""After its publisher asked whether the hub has the object: the commit that names it again may be on its way."""


def store_object(
    *,
    caller: Caller,
    domain: str,
    list_id: str,
    digest: str,
    name: str,
    chunks: Iterable[bytes],
    now: datetime,
    content_length: int | None = None,
) -> StoredObject:
    """Write the bytes to the store while hashing them. Nothing is served before a release names it.

    Raises NotEntitled, NotFound (a name that no object has), AlreadyThere, TooLarge, WrongDigest, StorageUnavailable.
    """
    hash_list = own_list_by_id(caller=caller, domain=domain, list_id=list_id)
    key = object_key(list_id, digest, name)
    check_absent(hash_list, digest, name, now)
    limit = size_limit(name)
    if content_length is not None and content_length > limit:
        raise errors.TooLarge(f"An object of this kind has at most {limit} bytes.", limit=limit)
    check_room(hash_list, digest, name, content_length or 0)
    length = object_store().receive(key, chunks, limit=limit)
    return record_object(hash_list, digest, name, length, now)


@transaction.atomic
def record_object(hash_list: HashList, digest: str, name: str, length: int, now: datetime) -> StoredObject:
    """The row of an object whose bytes have come.

    1. Lock the publisher, so that uploads at the same time are counted one after the other.
    2. Remove the bytes again if there is no room for them. Raises TooLarge.
    3. See that another upload of the same object has not done so meanwhile. Raises StorageUnavailable.
    """
    Publisher.objects.select_for_update(no_key=True).get(pk=hash_list.publisher_id)
    store, key = object_store(), object_key(hash_list.tuf_id, digest, name)
    try:
        check_room(hash_list, digest, name, length)
    except errors.TooLarge:
        store.delete(key)
        raise
    if store.length(key) != length:
        raise errors.StorageUnavailable("The object did not stay. Send it again.", retry_after=1)
    row, _ = StoredObject.objects.update_or_create(
        list=hash_list,
        digest=digest,
        name=name,
        defaults={"length": length, "uploaded_at": now},
    )
    return row


def check_room(hash_list: HashList, digest: str, name: str, length: int) -> None:
    """Raises TooLarge if the publisher would have more uploaded, and named by no release, than HASHSHARE_UPLOAD_GIB.

    An object with a row has its place, even if its bytes were lost.
    """
    if StoredObject.objects.filter(list=hash_list, digest=digest, name=name).exists():
        return
    waiting = StoredObject.objects.filter(list__publisher=hash_list.publisher_id, published_at=None)
    uploaded: int = waiting.aggregate(total=Sum("length"))["total"] or 0
    limit = int(settings.HASHSHARE_UPLOAD_GIB * 2**30)
    if uploaded + length > limit:
        raise errors.TooLarge(
            f"This object has {length:,} bytes. The publisher has uploaded {uploaded:,} that no release names, and "
            f"the hub keeps at most {limit:,} of those; this object is not kept, the others are.",
            next_step=f"Publish what was uploaded; what no release names goes after {KEPT_UNPUBLISHED.days} days. If "
            "it is one release that needs more, ask the hub's operator to raise HASHSHARE_UPLOAD_GIB.",
            limit=limit,
        )


def check_absent(hash_list: HashList, digest: str, name: str, now: datetime) -> None:
    """Raises AlreadyThere, after which the object stays for a while. A row without its bytes (a restored database) may
    be filled again, and pruning, which locks the row, is over by then or leaves it.
    """
    rows = StoredObject.objects.filter(list=hash_list, digest=digest, name=name)
    if rows.update(uploaded_at=now):
        row = rows.get()
        if object_store().length(object_key(hash_list.tuf_id, digest, name)) == row.length:
            raise errors.AlreadyThere(length=row.length)


def check_upload_allowed(
    *, caller: Caller, domain: str, list_id: str, digest: str, name: str, content_length: int, now: datetime
) -> None:
    """What `store_object` would refuse before reading a byte, for answering early. Raises the same."""
    hash_list = own_list_by_id(caller=caller, domain=domain, list_id=list_id)
    object_key(list_id, digest, name)
    check_absent(hash_list, digest, name, now)
    check_room(hash_list, digest, name, content_length)


def own_list_by_id(*, caller: Caller, domain: str, list_id: str) -> HashList:
    """A list of the caller's publisher by its TUF id. Raises NotEntitled."""
    caller.require_write()
    owner = home_publisher(caller=caller, domain=domain)
    found = HashList.objects.select_related("publisher").filter(publisher=owner, tuf_id=list_id).first()
    if found is None:
        raise errors.NotEntitled
    return found


def size_limit(name: str) -> int:
    """Bytes that an object of this name may have."""
    if name == "manifest.json":
        return limits.MAX_MANIFEST
    if MAJOR_NAME.fullmatch(name):
        return limits.MAX_MAJOR
    return limits.MAX_BASE_INDEX if name.endswith(".json") else limits.MAX_OBJECT


def prune_objects(*, now: datetime) -> int:
    """Remove superseded objects after seven days, and uploads that no release took up after fourteen; how many.

    Killed in the middle, it goes on at the next run.
    """
    object_store().drop_unfinished(before=now - KEPT_UNFINISHED)
    old = StoredObject.objects.filter(prunable(now)).order_by("pk")
    return sum(prune_object(pk, list_id, now) for pk, list_id in list(old.values_list("pk", "list")))


def prunable(now: datetime) -> Q:
    """Objects that no served manifest names and nobody asked after of late."""
    superseded = Q(superseded_at__lt=now - KEPT_AFTER_SUPERSEDED, uploaded_at__lt=now - KEPT_WANTED)
    return superseded | Q(published_at=None, uploaded_at__lt=now - KEPT_UNPUBLISHED)


@transaction.atomic
def prune_object(pk: int, list_id: uuid.UUID, now: datetime) -> bool:
    """Whether it was still to be removed.

    1. Lock the list, as a commit that comes in does: either it is seen here as pending, or it sees what is gone.
    2. Look again whether the object may go.
    3. Remove the bytes, then the row: a kill in between leaves a row that the next run finds.
    """
    hash_list = HashList.objects.select_for_update().get(pk=list_id)
    if Commit.objects.filter(list=hash_list, state=Commit.State.PENDING).exists():
        return False
    row = StoredObject.objects.select_for_update().filter(prunable(now), pk=pk).first()
    if row is None:
        return False
    object_store().delete(object_key(hash_list.tuf_id, row.digest, row.name))
    row.delete()
    return True
