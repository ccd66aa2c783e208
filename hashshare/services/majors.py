"""Large losses of entries, which no feed key may cause alone: counted over a week, and what is signed for them.

Counted are the releases that were published, one by one, so no base, merge or refresh changes the count. What a release
brings back or adds offsets nothing: else a stolen key could reinstate old entries to pay for those it takes.
"""

from __future__ import annotations

import math
from datetime import datetime

from hashshare.models import HashList, Publisher, StoredObject
from hashshare.selectors.majors import Window, window
from hashshare.selectors.recovery import newest_backup
from hashshare.services.manifests import checked_bytes
from hashshare.services.trust import trusted_of
from hashshare.wire import errors
from hashshare.wire.major import WINDOW, Major, needs_major
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import major_documents


def check_majors(publisher: Publisher, body: bytes | None) -> None:
    """That every document which the major role newly names was uploaded and is of its list and version.

    Raises MissingObject, WrongDigest, MalformedMajor, MalformedMetadata (of a list that the publisher does not have).
    """
    if body is None:
        return
    standing = trusted_of(publisher).major
    known = major_documents(standing) if standing is not None else {}
    lists = {row.tuf_id: row for row in HashList.objects.select_related("publisher").filter(publisher=publisher)}
    for place, ref in major_documents(body).items():
        if known.get(place) == ref:
            continue
        if place[0] not in lists:
            raise errors.MalformedMetadata(f"There is no list with the id {place[0]}.", role="major")
        try:
            check_document(lists[place[0]], place[1], ref)
        except errors.MissingObject:
            # A restored hub is sent what its publisher still has; older documents may be lost for good.
            if publisher.awaited_since is None:
                raise


def check_document(hash_list: HashList, version: int, ref: ObjectRef) -> Major:
    if not StoredObject.objects.filter(list=hash_list, name=ref.name, digest=ref.sha256, length=ref.length).exists():
        raise errors.MissingObject(f"{ref.path} was not uploaded.", paths=[ref.path], count=1)
    major = Major.parse(checked_bytes(ref))
    if (major.list_id, major.list_name, major.version) != (hash_list.tuf_id, hash_list.name, version):
        raise errors.MalformedMajor(f"{ref.path} is of another list or version.", path=ref.path)
    return major


def serve_majors(publisher: Publisher, body: bytes, now: datetime) -> None:
    """What the accepted major role names is served from now on, to whoever may read its list."""
    named = {(list_id, ref.name, ref.sha256) for (list_id, _), ref in major_documents(body).items()}
    waiting = StoredObject.objects.select_for_update().filter(
        list__publisher=publisher, name__startswith="major-", published_at=None
    )
    for row in waiting.select_related("list"):
        if (row.list.tuf_id, row.name, row.digest) in named:
            row.published_at = now
            row.save(update_fields=["published_at"])


def check_losses(*, hash_list: HashList, version: int, manifest: ObjectRef, lost: int, now: datetime) -> bool:
    """Whether a major stands for this very release, which takes `lost` entries away.

    Raises MajorRequired when none does and the list would lose too much. Call before the release is published, with
    the list locked and the commit's own major kept.
    """
    if not lost:
        return False
    major = major_of(hash_list, version)
    same = major is not None and (major.manifest.sha256, major.lost) == (manifest.sha256, lost)
    if major is not None and same and tells_size(hash_list, major):
        return True
    total, lost = lost, max(0, lost - covered_meanwhile(hash_list, version, manifest))
    lately = window(hash_list, now=now)
    a_week = math.ceil(lost / windows_lost(hash_list.publisher, now))
    if needs_major(lost=lately.lost + a_week, held=lately.held):
        raise required(hash_list, major, manifest, lost=lost, total=total, lately=lately)
    return False


def tells_size(hash_list: HashList, major: Major) -> bool:
    """Whether those who signed were shown the share of the list that it is: else a thief would have them sign for a
    hundredth of a list that never was. What a restored hub lost in between it cannot compare.
    """
    return major.held in (None, hash_list.entries) or hash_list.publisher.awaited_since is not None


def windows_lost(publisher: Publisher, now: datetime) -> int:
    """Over how many windows the losses of one release are spread: while a restored hub awaits the publisher, those
    since the backup, in each of which so much could go as ever; otherwise one.
    """
    made_at = newest_backup() if publisher.awaited_since is not None else None
    return max(1, math.ceil((now - made_at) / WINDOW)) if made_at is not None else 1


def covered_meanwhile(hash_list: HashList, version: int, manifest: ObjectRef) -> int:
    """Entries for which majors stand in the releases that a restored hub lost and that `version` brings back in one.

    That of `version` itself counts only for this `manifest`; those in between are lost, so theirs cannot be compared.
    """
    body = trusted_of(hash_list.publisher).major
    if hash_list.publisher.awaited_since is None or body is None:
        return 0
    refs = major_documents(body).items()
    lost = [ref for (list_id, at), ref in refs if list_id == hash_list.tuf_id and hash_list.version < at <= version]
    majors = [major for major in map(read_document, lost) if major is not None]
    return sum(it.lost for it in majors if it.version != version or it.manifest.sha256 == manifest.sha256)


def major_of(hash_list: HashList, version: int) -> Major | None:
    """The accepted document for that content version of the list."""
    body = trusted_of(hash_list.publisher).major
    ref = major_documents(body).get((hash_list.tuf_id, version)) if body is not None else None
    return read_document(ref) if ref is not None else None


def read_document(ref: ObjectRef) -> Major | None:
    """None for one that was lost: it covers nothing."""
    try:
        return Major.parse(checked_bytes(ref))
    except errors.MissingObject:
        return None


def required(
    hash_list: HashList, major: Major | None, manifest: ObjectRef, *, lost: int, total: int, lately: Window
) -> errors.MajorRequired:
    """What is too much, in numbers, and whether a major was signed that stands for something else. `total` is what a
    major would have to name: more than `lost` where others cover a part.
    """
    whole = f" and {lately.lost:,} were taken in the {WINDOW.days} days before" if lately.lost else ""
    message = (
        f"This release takes {lost:,} entries from {hash_list.name}{whole}; it held {lately.held:,} then. Above 1 % "
        "and 100 entries in seven days, two holders of the publisher's major keys must sign for it. "
    )
    if major is not None:
        other = "another number of entries" if major.manifest.sha256 == manifest.sha256 else "another manifest"
        if (major.manifest.sha256, major.lost) == (manifest.sha256, lost):
            other = f"a list of {major.held or 0:,} entries, and this one has {hash_list.entries:,}"
        message += f"The major that was signed for this version is for {other}. "
    whole = f"{message}The list stays as it was."
    return errors.MajorRequired(whole, lost=lost, total=total, before=lately.lost, held=lately.held)
