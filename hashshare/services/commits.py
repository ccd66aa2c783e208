"""Taking in signed metadata: everything that can be judged at once is, and the rest becomes a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from hashshare.models import Commit, HashList, Job, Metadata, OrganisationKey, Publisher, Release, StoredObject
from hashshare.selectors.beginnings import begins_anew
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import home_publisher
from hashshare.services.hosting import check_hosting
from hashshare.services.jobs import create_job
from hashshare.services.judging import change, judge_roles
from hashshare.services.majors import check_majors
from hashshare.services.manifests import read_manifest
from hashshare.wire import errors, limits
from hashshare.wire.manifest import Manifest
from hashshare.wire.repository import feed_manifest, list_ids

OFFICERS = ("root", "targets")
ORDER = ("root", "targets", "major")
"""In which a commit takes effect; feeds come last."""


def submit_commit(*, caller: Caller, domain: str, roles: Mapping[str, bytes], if_match: int, now: datetime) -> Job:
    """A job that will publish or reject the commit. Sending the same commit again while it is pending answers its job.

    `roles` maps "root", "targets", "major" or one list id to signed metadata; `if_match` is the accepted version of the
    last of them (0: none). Raises NotEntitled, UsageError, VersionConflict, Conflict (another commit is pending, fact
    `job`), BadSignature, ExpiredMetadata, MalformedMetadata, MissingObject, MalformedManifest, MalformedMajor,
    UnknownRequirement.
    """
    caller.require_write()
    publisher = home_publisher(caller=caller, domain=domain)
    hash_list = commit_list(publisher, roles)
    texts = readable_texts(roles)
    pending = pending_commit(publisher, hash_list)
    if pending is not None:
        return same_or_conflict(pending, texts)
    check_if_match(publisher, roles, if_match, anew=begins_anew(publisher, roles, now=now))
    judge_roles(publisher, roles, now=now)
    check_majors(publisher, roles.get("major"))
    if hash_list is None:
        check_delegations_are_lists(publisher, roles)
        if "targets" in roles:
            check_hosting(publisher, roles["targets"])
        check_only_refreshed(publisher, roles)
        manifest = None
    else:
        manifest = check_manifest(hash_list, roles[hash_list.tuf_id])
    return record(caller, publisher, hash_list, texts, manifest, now)


def commit_list(publisher: Publisher, roles: Mapping[str, bytes]) -> HashList | None:
    """The list that a commit is a release of, None without a feed or beside root or targets.

    Raises UsageError, NotEntitled.
    """
    if not roles or any(len(body) > limits.MAX_METADATA for body in roles.values()):
        raise errors.UsageError("A commit carries signed metadata of at most 512 KiB a role.")
    feeds = set(roles) - set(ORDER)
    if set(roles) & set(OFFICERS) or not feeds:
        return None
    if len(feeds) != 1:
        raise errors.UsageError(
            "A commit carries root and targets, or one list's feed role; the major role may go with each."
        )
    found = HashList.objects.select_related("publisher").filter(publisher=publisher, tuf_id=feeds.pop()).first()
    if found is None:
        raise errors.NotEntitled
    return found


def readable_texts(roles: Mapping[str, bytes]) -> dict[str, str]:
    """The metadata as text, which keeps every byte of it. Raises MalformedMetadata for what is not UTF-8."""
    texts = {}
    for role, body in roles.items():
        try:
            texts[role] = body.decode()
        except UnicodeDecodeError as error:
            raise errors.MalformedMetadata("The metadata is not UTF-8 text.", role=role) from error
        if "\x00" in texts[role]:
            raise errors.MalformedMetadata("The metadata has a zero byte.", role=role)
    return texts


def pending_commit(publisher: Publisher, hash_list: HashList | None) -> Commit | None:
    rows = Commit.objects.select_related("job").filter(publisher=publisher, state=Commit.State.PENDING)
    return rows.filter(list=hash_list).first() if hash_list else rows.filter(list__isnull=True).first()


def same_or_conflict(pending: Commit, texts: dict[str, str]) -> Job:
    if pending.roles != texts:
        raise errors.Conflict(
            "Another commit is being verified.",
            next_step="Wait for its job to end, then look at the current state.",
            job=str(pending.job_id),
        )
    return pending.job


def check_if_match(publisher: Publisher, roles: Mapping[str, bytes], if_match: int, *, anew: bool = False) -> None:
    """Raises VersionConflict unless the committer knows what stands; `anew`: nothing of its officers'."""
    last = max(roles, key=lambda role: (ORDER.index(role) if role in ORDER else len(ORDER), role))
    standing = Metadata.objects.filter(publisher=publisher, role=last)
    current = 0 if anew and last in ORDER else standing.aggregate(top=Max("version"))["top"] or 0
    if current != if_match:
        message = f"The accepted version of {last} is {current}, not {if_match}."
        raise errors.VersionConflict(message, role=last, current=current, offered=if_match)


def check_delegations_are_lists(publisher: Publisher, roles: Mapping[str, bytes]) -> None:
    """Every delegated role is a list of this publisher, and no list with a release loses its role."""
    if "targets" not in roles:
        return
    delegated = set(list_ids(roles["targets"]))
    rows = HashList.objects.filter(publisher=publisher)
    unknown = delegated - set(rows.values_list("tuf_id", flat=True))
    if unknown:
        raise errors.MalformedMetadata(f"There is no list with the id {min(unknown)}.", role="targets")
    lost = set(rows.filter(role_version__gt=0).values_list("tuf_id", flat=True)) - delegated
    if lost:
        raise errors.MalformedMetadata(f"The published list {min(lost)} lost its role.", role="targets")


def check_only_refreshed(publisher: Publisher, roles: Mapping[str, bytes]) -> None:
    """A feed role given to another key is signed anew beside targets, over the manifest that is served: no release.

    Raises MalformedMetadata.
    """
    served = dict(HashList.objects.filter(publisher=publisher).values_list("tuf_id", "manifest_digest"))
    for role in set(roles) - set(ORDER):
        if not served.get(role) or feed_manifest(roles[role], list_id=role).sha256 != served[role]:
            message = "A feed role beside root or targets signs the manifest that is served; a release comes alone."
            raise errors.MalformedMetadata(message, role=role)


def check_manifest(hash_list: HashList, feed: bytes) -> Manifest:
    """The manifest that the feed names, if it may follow what is served and every object it names was uploaded."""
    ref = feed_manifest(feed, list_id=hash_list.tuf_id)
    manifest = read_manifest(hash_list, ref)
    check_declared(hash_list, manifest)
    if ref.sha256 != hash_list.manifest_digest:
        change(hash_list, served_manifest(hash_list), manifest)
    check_uploaded(hash_list, manifest)
    return manifest


def served_manifest(hash_list: HashList) -> Manifest | None:
    """What the list serves now, None before its first release."""
    if not hash_list.version:
        return None
    row = StoredObject.objects.get(list=hash_list, name="manifest.json", digest=hash_list.manifest_digest)
    return read_manifest(hash_list, row)


def check_declared(hash_list: HashList, manifest: Manifest) -> None:
    """Raises MalformedManifest when the manifest says something else of the list than the list's own record."""
    declared = {
        "id": (hash_list.tuf_id, manifest.list_id),
        "name": (hash_list.name, manifest.list_name),
        "algorithms": (tuple(hash_list.algorithms), manifest.algorithms),
        "scheme": (hash_list.scheme, manifest.scheme),
        "columns": (tuple(hash_list.columns), manifest.columns),
    }
    for name, (expected, offered) in declared.items():
        if expected != offered:
            raise errors.MalformedManifest(f"The manifest's {name} is not what the list declares.", field=name)


def check_uploaded(hash_list: HashList, manifest: Manifest) -> None:
    """Raises MissingObject (fact `paths`, at most 20), WrongDigest for a length that differs."""
    refs = list(manifest.object_refs())
    rows = StoredObject.objects.filter(list=hash_list, digest__in=[ref.sha256 for ref in refs])
    lengths = {(row.name, row.digest): row.length for row in rows}
    missing = [ref.path for ref in refs if (ref.name, ref.sha256) not in lengths]
    if missing:
        message = f"{len(missing)} of the manifest's objects were not uploaded, the first {missing[0]}."
        raise errors.MissingObject(message, paths=missing[:20], count=len(missing))
    for ref in refs:
        if lengths[ref.name, ref.sha256] != ref.length:
            raise errors.WrongDigest(f"{ref.path} has another length than the manifest says.", path=ref.path)


@transaction.atomic
def record(
    caller: Caller,
    publisher: Publisher,
    hash_list: HashList | None,
    texts: dict[str, str],
    manifest: Manifest | None,
    now: datetime,
) -> Job:
    """Commit, release and job in one transaction. Raises Conflict when another commit came in at the same time."""
    kind = Job.Kind.APPLY_METADATA if hash_list is None else Job.Kind.VERIFY_RELEASE
    job = create_job(kind=kind, organisation=caller.organisation, target=None, now=now)
    try:
        with transaction.atomic():
            commit = Commit.objects.create(
                publisher=publisher,
                list=hash_list,
                job=job,
                roles=texts,
                submitted_by=OrganisationKey.objects.filter(fingerprint=caller.key_id).first(),
                submitted_at=now,
            )
    except IntegrityError as error:
        raise errors.Conflict("Another commit is being verified.") from error
    Job.objects.filter(pk=job.pk).update(target=commit.pk)
    job.target = commit.pk
    if hash_list is not None and manifest is not None:
        # Once more, with pruning shut out: what was superseded may have gone since, and from here on does not.
        HashList.objects.select_for_update().get(pk=hash_list.pk)
        check_uploaded(hash_list, manifest)
        record_release(hash_list, commit, manifest, now)
    return job


def record_release(hash_list: HashList, commit: Commit, manifest: Manifest, now: datetime) -> None:
    """A release for new content; a mere refresh of the signature has none."""
    ref = feed_manifest(commit.roles[hash_list.tuf_id].encode(), list_id=hash_list.tuf_id)
    if ref.sha256 == hash_list.manifest_digest:
        return
    Release.objects.create(
        list=hash_list,
        commit=commit,
        version=manifest.version,
        role_version=hash_list.role_version + 1,
        manifest_digest=ref.sha256,
        entries=manifest.entries,
        created_at=now,
    )
