"""Accepting or rejecting a commit: one transaction each, so that nothing is ever half published."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from hashshare.models import Commit, HashList, Job, Metadata, Publisher, Release, StoredObject
from hashshare.selectors.beginnings import begins_anew
from hashshare.services.beginnings import replace_root
from hashshare.services.commits import ORDER
from hashshare.services.hosting import check_hosting, follow_hosting
from hashshare.services.jobs import Claim, finish_job
from hashshare.services.judging import judge_roles
from hashshare.services.logs import add_publication, log_of
from hashshare.services.majors import check_losses, serve_majors
from hashshare.services.parts import parts_of
from hashshare.services.timestamps import sign_snapshot_and_timestamp
from hashshare.services.verification import Content
from hashshare.wire import errors
from hashshare.wire.major import MAJOR_NAME
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import RoleFile, feed_manifest, root_fingerprint


@transaction.atomic
def publish_release(*, claim: Claim, commit: Commit, list_id: uuid.UUID, content: Content, now: datetime) -> None:
    """Serve a release, or refreshed feed metadata, whose content was found to be right.

    1. Lock the job's claim, the publisher and the list, so that versions rise one at a time.
    2. Judge the signed metadata again: hours may have passed since it was submitted.
    3. See that what was judged, in whichever processes, is what is now published, and that so much may be taken back.
    4. Store it, move the list on, mark objects published or superseded, sign snapshot and timestamp.
    5. Close commit, release and job. Raises LostClaim, VersionConflict, BadSignature, ExpiredMetadata, Conflict,
       MajorRequired.
    """
    claim.lock()
    publisher = Publisher.objects.select_for_update().get(pk=commit.publisher_id)
    hash_list = HashList.objects.select_for_update().get(pk=list_id)
    hash_list.publisher = publisher
    roles = accepted_roles(publisher, commit, now)
    feed = roles[hash_list.tuf_id]
    check_judged(claim.job, commit, hash_list, feed, content)
    if "major" in roles:
        keep_metadata(publisher, roles["major"], now)
        serve_majors(publisher, roles["major"].body, now)
    major = may_lose(hash_list, content, now)
    keep_metadata(publisher, feed, now, hash_list=hash_list)
    if content.manifest is not None:
        follow_manifest(hash_list, content.manifest, content.refs[0].sha256, now)
        publish_objects(hash_list, content.refs, now)
        close_release(commit, content, feed.version, now, major=major)
    hash_list.role_version = feed.version
    hash_list.save()
    sign_snapshot_and_timestamp(publisher=publisher, now=now)
    result = {"list": hash_list.name, "version": hash_list.version, "role_version": feed.version}
    accept(claim, commit, now, result)


@transaction.atomic
def accept_metadata(*, claim: Claim, commit: Commit, now: datetime) -> None:
    """Take over root, targets and major metadata, and feed roles that were signed anew beside them.

    The first root gives the publisher its fingerprint and begins its delivery log; where an operator lets it begin
    anew, another takes that one's place. Raises as `publish_release` does.
    """
    claim.lock()
    publisher = Publisher.objects.select_for_update().get(pk=commit.publisher_id)
    roles = accepted_roles(publisher, commit, now)
    if begins_anew(publisher, {role: file.body for role, file in roles.items()}, now=now):
        replace_root(publisher, fingerprint=root_fingerprint(roles["root"].body), now=now)
    for role, file in roles.items():
        if role in ORDER:
            keep_metadata(publisher, file, now)
        else:
            refresh_feed(publisher, file, now)
    if "targets" in roles:
        check_hosting(publisher, roles["targets"].body)
        follow_hosting(publisher, roles["targets"].body, now)
    if "major" in roles:
        serve_majors(publisher, roles["major"].body, now)
    if "root" in roles and roles["root"].version == 1:
        publisher.root_fingerprint = root_fingerprint(roles["root"].body)
        publisher.save(update_fields=["root_fingerprint"])
        log_of(publisher, now=now)
    sign_snapshot_and_timestamp(publisher=publisher, now=now)
    accept(claim, commit, now, {role: file.version for role, file in roles.items()})


@transaction.atomic
def reject_commit(*, claim: Claim, commit: Commit, problem: dict[str, Any], now: datetime) -> None:
    """Close commit, release and job with the reason, a problem document. What was served before stays served."""
    claim.lock()
    Commit.objects.filter(pk=commit.pk).update(state=Commit.State.REJECTED, problem=problem, decided_at=now)
    releases = Release.objects.filter(commit=commit, state=Release.State.VERIFYING)
    releases.update(state=Release.State.REJECTED, reasons=[problem])
    finish_job(claim=claim, now=now, result=None, problem=problem)


def accepted_roles(publisher: Publisher, commit: Commit, now: datetime) -> dict[str, RoleFile[Any]]:
    """By role name. Raises what `judge_roles` raises."""
    bodies = {role: text.encode() for role, text in commit.roles.items()}
    judged = judge_roles(publisher, bodies, now=now)
    files = {"root": judged.root, "targets": judged.targets, "major": judged.major}
    return {role: file for role, file in files.items() if file is not None} | dict(judged.feeds)


def check_judged(job: Job, commit: Commit, hash_list: HashList, feed: RoleFile[Any], content: Content) -> None:
    """Raises Conflict unless the content was judged for this very manifest, after the one that is served, and each
    shard that was judged apart was found right, for this commit.
    """
    signed = feed_manifest(feed.body, list_id=hash_list.tuf_id).sha256
    if content.manifest is None:
        stands = signed == hash_list.manifest_digest
    else:
        stands = (signed, hash_list.manifest_digest) == (content.refs[0].sha256, content.follows)
    parts = [(part.state, part.target, (part.result or {}).get("sha256")) for part in parts_of(job).select_for_update()]
    if not stands or parts != [(Job.State.DONE, commit.pk, digest) for digest in content.shards]:
        raise errors.Conflict("What was verified is not what would be published.")


def may_lose(hash_list: HashList, content: Content, now: datetime) -> bool:
    """Whether a major stands for what the release takes away. Raises MajorRequired where one must."""
    if content.manifest is None:
        return False
    return check_losses(
        hash_list=hash_list,
        version=content.manifest.version,
        manifest=content.refs[0],
        lost=content.withdrawals + content.weakened,
        now=now,
    )


def refresh_feed(publisher: Publisher, file: RoleFile[Any], now: datetime) -> None:
    """Raises VersionConflict when a release of the list came in between."""
    hash_list = HashList.objects.select_for_update().get(publisher=publisher, tuf_id=file.role)
    if feed_manifest(file.body, list_id=file.role).sha256 != hash_list.manifest_digest:
        raise errors.VersionConflict("The list has moved on since this was signed.", role=file.role)
    keep_metadata(publisher, file, now, hash_list=hash_list)
    hash_list.role_version = file.version
    hash_list.save(update_fields=["role_version"])


def keep_metadata(publisher: Publisher, file: RoleFile[Any], now: datetime, hash_list: HashList | None = None) -> None:
    """The signed bytes, and their digest in the publication log."""
    Metadata.objects.create(
        publisher=publisher,
        list=hash_list,
        role=file.role,
        version=file.version,
        body=file.body,
        sha256=ObjectRef.of("", file.body).sha256,
        expires_at=file.expires,
        accepted_at=now,
    )
    add_publication(metadata=file.body, now=now)


def follow_manifest(hash_list: HashList, manifest: Manifest, digest: str, now: datetime) -> None:
    """The list's row says what is served."""
    hash_list.version, hash_list.entries = manifest.version, manifest.entries
    hash_list.manifest_digest = digest
    hash_list.published_at = now
    hash_list.poll_seconds = manifest.poll_seconds
    hash_list.redistribution = manifest.redistribution.to_record()
    withdrawn = manifest.status == "withdrawn"
    hash_list.state = HashList.State.WITHDRAWN if withdrawn else HashList.State.ACTIVE


def publish_objects(
    hash_list: HashList, refs: tuple[ObjectRef, ...], now: datetime, *, superseded_at: datetime | None = None
) -> None:
    """What the manifest names is served from now on; what only older ones named will be pruned a week after
    `superseded_at`, which is `now` unless it happened elsewhere before.

    Major documents stay: members that were away ask for them.
    """
    wanted = {(ref.name, ref.sha256) for ref in refs}
    new, old = [], []
    served_or_wanted = Q(superseded_at=None) | Q(digest__in={ref.sha256 for ref in refs})
    for row in StoredObject.objects.select_for_update().filter(served_or_wanted, list=hash_list):
        if (row.name, row.digest) in wanted:
            if row.published_at is None or row.superseded_at is not None:
                row.published_at, row.superseded_at = row.published_at or now, None
                new.append(row)
            wanted.discard((row.name, row.digest))
        elif row.published_at is not None and row.superseded_at is None and not MAJOR_NAME.fullmatch(row.name):
            row.superseded_at = superseded_at or now
            old.append(row)
    if wanted:
        raise errors.MissingObject(f"{min(wanted)[0]} is no longer there.", count=len(wanted))
    StoredObject.objects.bulk_update([*new, *old], ["published_at", "superseded_at"], batch_size=1000)


def close_release(commit: Commit, content: Content, role_version: int, now: datetime, *, major: bool) -> None:
    Release.objects.filter(commit=commit, state=Release.State.VERIFYING).update(
        state=Release.State.PUBLISHED,
        role_version=role_version,
        upserts=content.upserts,
        withdrawals=content.withdrawals,
        weakened=content.weakened,
        major=major,
        withdrawal_reasons=dict(content.reasons),
        published_at=now,
    )


def accept(claim: Claim, commit: Commit, now: datetime, result: dict[str, object]) -> None:
    Commit.objects.filter(pk=commit.pk).update(state=Commit.State.ACCEPTED, decided_at=now)
    finish_job(claim=claim, now=now, result=result, problem=None)
