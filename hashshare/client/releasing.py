"""A drafted release to the hub and, once it is published, into the copy held here: sign, upload, verify, adopt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from securesystemslib.signer import Signer

from hashshare.client.bases import BaseFolder
from hashshare.client.commits import Job
from hashshare.client.drafts import Draft, Upload
from hashshare.client.handover import hand_over
from hashshare.client.publication import Listener
from hashshare.client.publisher import OwnList
from hashshare.client.refusals import Refusal, forget_refusals, note_refusal
from hashshare.client.session import Session
from hashshare.client.signed_majors import keep_documents, keep_metadata
from hashshare.client.stages import Stages
from hashshare.client.store import ListStore
from hashshare.client.sync import Head, sync_list
from hashshare.client.uploads import upload_all
from hashshare.wire.errors import NetworkError, VerificationFailed
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import sign_release
from hashshare.wire.segments import file_sha256


class BaseRefusedError(Exception):
    """The hub refused a release that adopted the base of `version`, for `reason`.

    Whether the base is at fault shows when the same is published without it; until then it is kept.
    """

    def __init__(self, version: int, reason: VerificationFailed) -> None:
        super().__init__(reason.message)
        self.version, self.reason = version, reason


@dataclass(frozen=True, slots=True)
class SignedMajor:
    """The major role's metadata, signed by enough, and the documents that it newly names, by path."""

    body: bytes
    documents: Mapping[str, bytes]

    @property
    def uploads(self) -> tuple[Upload, ...]:
        return tuple(Upload(ObjectRef.of(path, body), body=body) for path, body in self.documents.items())


def release(
    session: Session,
    own: OwnList,
    draft: Draft,
    *,
    feed: Signer,
    follows: int,
    listener: Listener,
    stages: Stages,
    major: SignedMajor | None = None,
) -> tuple[Job, int]:
    """Publish `draft` after role version `follows`; the hub's job, and the bytes that the hub did not have.

    Raises what the hub rejected it for, Conflict, NetworkError, BaseRefusedError.
    """
    with stages.stage("sign"):
        envelope = sign_release(
            list_id=own.list_id,
            manifest=draft.manifest.to_bytes(),
            version=follows + 1,
            signers=[feed],
            now=datetime.now(UTC),
        )
    if major is not None:
        keep_documents(own.publisher, major.uploads)
    with stages.stage("upload"):
        uploaded = _upload(session, own, draft, listener, further=major.uploads if major else ())
    try:
        with stages.stage("verify"):
            version = draft.manifest.version
            body = major.body if major else None
            job = hand_over(session, own, envelope, follows=follows, version=version, listener=listener, major=body)
    except VerificationFailed as error:
        if not draft.rebased:
            raise
        raise BaseRefusedError(draft.manifest.base.version, error) from error
    if major is not None:
        keep_metadata(own.publisher, major.body)
    with stages.stage("adopt"):
        _keep(session, own, draft, listener)
    return job, uploaded


def _upload(session: Session, own: OwnList, draft: Draft, listener: Listener, *, further: tuple[Upload, ...]) -> int:
    """Every object, then the manifest and what is `further` to be there."""

    def sent(item: Upload) -> None:
        listener.uploaded(item.ref.length)

    listener.uploading(sum(item.ref.length for item in (*draft.uploads, *further)))
    domain = own.publisher.domain
    new = upload_all(session, domain, draft.objects, sent=sent)
    return new + upload_all(session, domain, [draft.manifest_upload, *further], sent=sent)


def _keep(session: Session, own: OwnList, draft: Draft, listener: Listener) -> None:
    """Keep what was written as the list's held objects, so that the sync that verifies it downloads none of them."""
    store, bases = ListStore(own.publisher.home, own.list_id), BaseFolder(own)
    for item in draft.objects:
        if item.file is not None:
            store.place(item.file, item.ref.sha256)
    if draft.rebased and (prepared := bases.read()) and prepared.index:
        for file, ref in zip(bases.files(prepared), prepared.index.object_refs(), strict=True):
            # It may have lain here for days; what is no longer right is fetched.
            if file_sha256(file) == ref.sha256:
                store.place(file, ref.sha256)
    manifest = draft.manifest
    head = Head(manifest.list_name, manifest.list_id, own.publisher.domain, 0, manifest.version)
    try:
        sync_list(session, store.home, head, accept_shrink=True, force=True, history=True)
    except NetworkError:
        listener.waiting(f"v{manifest.version} is published; the next run brings the copy here up to it.")
    if draft.rebased:
        bases.drop()
        forget_refusals(own)


def give_up(own: OwnList, refused: BaseRefusedError) -> Refusal:
    """Drop a base that the hub refused, once the list went on without it, and note that it did."""
    folder = BaseFolder(own)
    with folder.lock(blocking=False) as alone:
        if alone:
            folder.drop()
    return note_refusal(own, refused.version, refused.reason, now=datetime.now(UTC))
