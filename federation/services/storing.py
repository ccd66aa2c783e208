"""Serving a verified copy: everything in one transaction, once its bytes are stored (services/objects).

What is served afterwards is the peer's, byte for byte: roots, targets, majors, feeds, and the snapshot and timestamp
that the publisher's own hub signed. Nothing is signed here, so nothing lasts longer here than there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, cast

from django.db import transaction
from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Root, Snapshot

from federation.models import MirroredList, MirroredPublisher
from federation.selectors.mirrors import behind
from federation.selectors.peers import is_active
from federation.services.copying import CopiedList, Copy, withdrawal_reasons
from federation.services.crossing import judge_mirrored
from hashshare.models import HashList, Metadata, Publisher, Release
from hashshare.selectors.metadata import newest
from hashshare.services.beginnings import replace_root
from hashshare.services.jobs import Claim, finish_job
from hashshare.services.logs import log_of
from hashshare.services.majors import serve_majors
from hashshare.services.problems import problem_document
from hashshare.services.publication import follow_manifest, keep_metadata, publish_objects
from hashshare.services.timestamps import drop_old_snapshots, keep
from hashshare.wire import errors
from hashshare.wire.repository import read_role, root_fingerprint
from hashshare.wire.repository.metadata import ROOT, SNAPSHOT, TIMESTAMP, RoleFile

HELD_BACK_UNTIL: Final = timedelta(hours=6)
"""A list that is refused holds back what else its publisher signed, as long as the timestamp that is served here lasts
for longer than this: so members who begin here still get the last good state of all of it. Then the others go on."""


@transaction.atomic
def serve_copy(
    *, claim: Claim, mirror: MirroredPublisher, copied: Copy, claimed: Mapping[str, tuple[int, int]], now: datetime
) -> None:
    """Serve what was copied. `claimed` are the content and role versions that the peer's heads named before, by list.

    1. Lock the job's claim, the publisher and the mirror; it must still be followed from that peer, which was
       neither suspended meanwhile nor shows another hub.
    2. See that nothing is older than what is served here, unless keys were replaced (TUF specification 5.3.11) or an
       operator has this publisher followed afresh.
    3. Keep roots, targets, majors, and each list's feed; move the lists on, and their objects with them.
    4. Put the origin's snapshot and timestamp in the place of the ones before.
    5. Note how far the mirror is, and close the job. Raises LostClaim, Conflict, VerificationFailed.
    """
    claim.lock()
    publisher = Publisher.objects.select_for_update().get(pk=mirror.publisher_id)
    mirror = MirroredPublisher.objects.select_for_update().select_related("peer").get(pk=mirror.pk)
    if publisher.mirrored_from_id != mirror.peer.organisation_id or mirror.state != MirroredPublisher.State.FOLLOWING:
        raise errors.Conflict(f"{publisher.domain} is not copied from {mirror.peer.name} any more.")
    if not is_active(mirror.peer) or mirror.peer.is_another:
        raise errors.NotAPeer(f"Nothing is taken from {mirror.peer.name} any more.")
    rows = {row.tuf_id: row for row in HashList.objects.select_for_update().filter(publisher=publisher)}
    for row in rows.values():
        row.publisher = publisher
    afresh = mirror.generation != mirror.served_generation
    if afresh:
        _make_way(publisher, rows, copied, now)
    else:
        _check_not_older(publisher, copied)
    if not _is_held_back(publisher, rows, copied, now):
        _keep_officers(publisher, copied, now)
        for list_id, one in copied.lists.items():
            _serve_list(rows[list_id], one, now, afresh=afresh)
            judge_mirrored(rows[list_id], now=now)
        if copied.major is not None:
            serve_majors(publisher, copied.major, now)
        _keep_snapshot_and_timestamp(publisher, copied, now)
        mirror.copied_at, mirror.served_generation = now, mirror.generation
    _note(mirror, copied, claimed, now)
    result = {one.held.name: one.held.version for one in copied.lists.values()}
    finish_job(claim=claim, now=now, result=result, problem=mirror.trouble)


def _check_not_older(publisher: Publisher, copied: Copy) -> None:
    """The home, which tuf.ngclient keeps, refuses that as well; but a home may be lost, and rows are not."""
    root = cast("RoleFile[Root]", read_role(ROOT, copied.roots[max(copied.roots)]))
    for role, body in ((TIMESTAMP, copied.timestamp), (SNAPSHOT, copied.snapshot)):
        standing = newest(publisher=publisher, role=role)
        if standing is None or not _is_signed(root.signed, role, standing.content):
            continue
        offered = read_role(role, body)
        if offered.version < standing.version or (offered.version == standing.version and body != standing.content):
            raise _older(publisher, role, held=standing.version, offered=offered.version)
        if role == SNAPSHOT:
            _check_names_no_older(publisher, standing.content, body)
    first = Metadata.objects.filter(publisher=publisher, role=ROOT, version=1).first()
    if first is not None and first.content != copied.roots[1]:
        raise errors.RootReplaced(f"{publisher.domain} has another first root here.")


def _make_way(publisher: Publisher, rows: Mapping[str, HashList], copied: Copy, now: datetime) -> None:
    """An operator has what the peer serves taken as right: what contradicts it goes, another first root with a leaf in
    the public log and the old one's metadata kept aside.
    """
    fingerprint = root_fingerprint(copied.roots[1])
    if publisher.root_fingerprint and publisher.root_fingerprint != fingerprint:
        replace_root(publisher, fingerprint=fingerprint, now=now)
        publisher.root_fingerprint = fingerprint
        publisher.save(update_fields=["root_fingerprint"])
    Metadata.objects.filter(publisher=publisher, list=None).exclude(role=ROOT).delete()
    for list_id, one in copied.lists.items():
        standing = Metadata.objects.filter(publisher=publisher, role=list_id)
        standing.filter(version__gte=read_role(list_id, one.feed).version).delete()
        later = Release.objects.filter(list=rows[list_id], version__gte=one.manifest.version)
        later.filter(state=Release.State.PUBLISHED).exclude(manifest_digest=one.held.manifest_sha256).update(
            state=Release.State.REJECTED, reasons=[{"detail": "Another truth of this version was followed afresh."}]
        )


def _check_names_no_older(publisher: Publisher, standing: bytes, offered: bytes) -> None:
    now = _named(offered)
    for role, version in _named(standing).items():
        if now.get(role, 0) < version:
            raise _older(publisher, role, held=version, offered=now.get(role, 0))


def _older(publisher: Publisher, role: str, *, held: int, offered: int) -> errors.VerificationFailed:
    return errors.VerificationFailed(
        f"{publisher.domain}: the peer offers version {offered} of {role} metadata, and {held} is served here.",
        role=role,
        held=held,
        offered=offered,
    )


def _is_signed(root: Root, role: str, body: bytes) -> bool:
    """Whether the keys that the root names now have signed that."""
    metadata = read_role(role, body).metadata
    try:
        root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except tuf_errors.UnsignedMetadataError:
        return False
    return True


def _is_held_back(publisher: Publisher, rows: Mapping[str, HashList], copied: Copy, now: datetime) -> bool:
    """Whether a list that is served here could not follow, and what is served is still fresh."""
    named = _named(copied.snapshot)
    left = [it for it in copied.refused if it in rows and rows[it].version and named.get(it) != rows[it].role_version]
    standing = newest(publisher=publisher, role=TIMESTAMP)
    return bool(left) and standing is not None and standing.expires_at - now > HELD_BACK_UNTIL


def _named(snapshot: bytes) -> dict[str, int]:
    """The versions that a snapshot names, by role."""
    said = cast("RoleFile[Snapshot]", read_role(SNAPSHOT, snapshot)).signed
    return {name.removesuffix(".json"): meta.version for name, meta in said.meta.items()}


def _keep_officers(publisher: Publisher, copied: Copy, now: datetime) -> None:
    for version in sorted(copied.roots):
        _keep(publisher, "root", copied.roots[version], now)
    _keep(publisher, "targets", copied.targets, now)
    if copied.major is not None:
        _keep(publisher, "major", copied.major, now)
    if not publisher.root_fingerprint:
        publisher.root_fingerprint = root_fingerprint(copied.roots[1])
        publisher.save(update_fields=["root_fingerprint"])
        log_of(publisher, now=now)


def _keep(publisher: Publisher, role: str, body: bytes, now: datetime, hash_list: HashList | None = None) -> None:
    """As it is, with its leaf in the publication log. Raises VerificationFailed if that version is another here."""
    file = read_role(role, body)
    standing = Metadata.objects.filter(publisher=publisher, role=role, version=file.version).first()
    if standing is None:
        keep_metadata(publisher, file, now, hash_list=hash_list)
    elif standing.content != body:
        raise errors.VerificationFailed(f"{publisher.domain}: version {file.version} of {role} is another file here.")


def _keep_snapshot_and_timestamp(publisher: Publisher, copied: Copy, now: datetime) -> None:
    version = read_role(SNAPSHOT, copied.snapshot).version
    same = Metadata.objects.filter(publisher=publisher, role=SNAPSHOT, version=version)
    if not same.filter(sha256=hashlib.sha256(copied.snapshot).hexdigest()).exists():
        same.delete()  # signed by keys that were replaced, or it would have been refused
        keep(publisher, SNAPSHOT, copied.snapshot, now)
    Metadata.objects.filter(publisher=publisher, role=TIMESTAMP).delete()
    keep(publisher, TIMESTAMP, copied.timestamp, now)
    drop_old_snapshots(publisher, now)
    if publisher.awaited_since is not None:
        # A restored hub has what its peer has, which is the newest.
        publisher.awaited_since = None
        publisher.save(update_fields=["awaited_since"])


def _serve_list(row: HashList, one: CopiedList, now: datetime, *, afresh: bool) -> None:
    """The list's feed, and its release if the manifest is another than the one served."""
    _keep(row.publisher, row.tuf_id, one.feed, now, hash_list=row)
    if not afresh:
        _check_follows(row, one)
    feed_version = read_role(row.tuf_id, one.feed).version
    if row.manifest_digest != one.held.manifest_sha256:
        _record_release(row, one, feed_version, now)
        follow_manifest(row, one.manifest, one.held.manifest_sha256, now)
        # What is superseded at home goes there a week after; here not later than that by more than the copy was late.
        publish_objects(row, one.refs, now, superseded_at=min(now, one.manifest.published_at))
    row.role_version, row.closed_at = feed_version, None
    row.save()


def _check_follows(row: HashList, one: CopiedList) -> None:
    """The same of content. Raises VerificationFailed for an older version, ListForked."""
    if one.manifest.version < row.version:
        raise _older(row.publisher, row.name, held=row.version, offered=one.manifest.version)
    if one.manifest.version == row.version and one.held.manifest_sha256 != row.manifest_digest:
        raise errors.ListForked(f"Version {row.version} of {row.name} is served here with another manifest.")


def _record_release(row: HashList, one: CopiedList, role_version: int, now: datetime) -> None:
    """What changed since the version that was served here, which may be several releases at home."""
    past = [segment for segment in one.manifest.segments if segment.to_version > row.version]
    Release.objects.update_or_create(
        list=row,
        version=one.manifest.version,
        state=Release.State.PUBLISHED,
        defaults={
            "role_version": role_version,
            "manifest_digest": one.held.manifest_sha256,
            "entries": one.manifest.entries,
            "upserts": sum(segment.upserts for segment in past) if row.version else one.manifest.entries,
            "withdrawals": sum(segment.withdrawals for segment in past),
            "withdrawal_reasons": withdrawal_reasons(one, after=row.version),
            "created_at": one.manifest.published_at,
            "published_at": now,
        },
    )


def _note(mirror: MirroredPublisher, copied: Copy, claimed: Mapping[str, tuple[int, int]], now: datetime) -> None:
    """How far each list is, and what is wrong: also where the peer's heads named more than its publisher signed."""
    problems = {list_id: problem_document(error) for list_id, error in copied.refused.items()}
    mine = MirroredList.objects.filter(mirror=mirror)
    for row in mine.select_related("list__publisher"):
        version, role_version = claimed.get(row.list.tuf_id, (0, 0))
        if row.list.tuf_id in copied.lists and (version > row.list.version or role_version > row.list.role_version):
            problems.setdefault(row.list.tuf_id, problem_document(_claimed_more(row, version, role_version)))
        problem = problems.get(row.list.tuf_id)
        if row.trouble != problem:
            mine.filter(pk=row.pk).update(trouble=problem)
    late = list(mine.filter(behind()).values_list("pk", flat=True))
    mine.exclude(pk__in=late).update(behind_since=None)
    mirror.trouble = next(iter(problems.values()), None)
    mirror.failures = mirror.failures + 1 if problems else 0
    mirror.tried_at = now
    mirror.save(update_fields=["copied_at", "served_generation", "trouble", "failures", "tried_at"])


def _claimed_more(row: MirroredList, version: int, role_version: int) -> errors.HashshareError:
    return errors.VerificationFailed(
        f"The peer said that it has version {version} of {row.list.name} (feed {role_version}); what it serves is "
        f"signed as version {row.list.version} (feed {row.list.role_version}).",
        offered=version,
        held=row.list.version,
    )
