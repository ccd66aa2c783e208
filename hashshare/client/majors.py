"""Releases that take more of a list than its feed key may alone: told beforehand, signed by two, or kept till they are.

Which releases these are is the hub's to say (wire.major has the rule); it tells a publisher what already counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from securesystemslib.signer import Signer
from tuf.api.metadata import Targets

from hashshare.client import kept, trust
from hashshare.client.cards import known_officers
from hashshare.client.commits import Job
from hashshare.client.drafts import Draft
from hashshare.client.held import Held
from hashshare.client.home import write_atomic
from hashshare.client.officers import keys_here, sign_request, uses
from hashshare.client.publication import Listener, MajorNeed
from hashshare.client.publisher import OwnList, OwnPublisher, find_list, signer
from hashshare.client.releasing import SignedMajor, release
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date, settle
from hashshare.client.signed_majors import keep_metadata
from hashshare.client.signers import Ask
from hashshare.client.stages import Stages
from hashshare.client.standing import standing
from hashshare.client.waiting import load_request
from hashshare.wire.difference import Difference
from hashshare.wire.engine import Engine
from hashshare.wire.errors import MajorRequired, MalformedRequest, StaleRequest
from hashshare.wire.liveness import find_standing
from hashshare.wire.losses import count_weakened
from hashshare.wire.major import Major, needs_major
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import major_documents, sign_major
from hashshare.wire.repository.metadata import MAJOR, TARGETS, read_typed
from hashshare.wire.repository.request_files import check_request
from hashshare.wire.repository.requests import Need, SigningRequest, merge, missing
from hashshare.wire.repository.shapes import delegates_major
from hashshare.wire.state import HeldState

# --- whether one is needed ---------------------------------------------------------------------------------------


def find_need(
    session: Session, own: OwnList, engine: Engine, state: HeldState, change: Difference, *, forced: bool
) -> MajorNeed | None:
    """How much `change` takes from `state`, if that is more than the feed key may take alone, or if `forced`."""
    possible = change.withdrawn + change.updated
    if not possible:
        return None
    window = session.get_json(f"lists/{own.name}/releases").get("window")
    before, held = (int(window["lost"]), int(window["held"])) if window else (0, 0)
    if not forced and (window is None or not needs_major(lost=before + possible, held=held)):
        return None
    lost = change.withdrawn
    if change.updated:
        find_standing(engine, replace(state, earlier=()), table=change.table)
        lost += count_weakened(engine, state, rows=change.table)
    if not lost or not (forced or needs_major(lost=before + lost, held=held)):
        return None
    return MajorNeed(lost, before, held, has_role=_has_role(own))


def check_role(own: OwnList, need: MajorNeed) -> None:
    """Raises MajorRequired when the publisher has given nobody the major role."""
    if not need.has_role:
        domain = own.publisher.domain
        raise MajorRequired(
            f"{need.describe(own.name)} {domain} has no major keys yet. Nothing was published.",
            next_step=f"Make them, once: hashshare publisher major {domain}. Then publish again.",
            lost=need.lost,
            before=need.before,
            held=need.held,
        )


def _has_role(own: OwnList) -> bool:
    path = trust.metadata_dir(own.publisher.home, own.publisher.domain) / "targets.json"
    return delegates_major(read_typed(TARGETS, path.read_bytes(), Targets).signed)


# --- signing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A release and the request for its major: `missing` signatures, and where it is `kept` until they have come."""

    draft: Draft
    request: SigningRequest
    missing: tuple[Need, ...] = ()
    kept: kept.Kept | None = None

    @property
    def major(self) -> SignedMajor:
        return SignedMajor(self.request.roles[MAJOR], dict(self.request.documents))


def ask_for_major(
    session: Session, own: OwnList, draft: Draft, need: MajorNeed, *, follows: Held, ask: Ask, now: datetime
) -> Asked:
    """Sign with the major keys that are here, and keep the draft where others must. `follows`: what it comes after.

    A release that waits already and would publish the same stays as it is, with the signatures that it has.
    """
    fresh = _request(session, own, draft, need, follows=follows, now=now)
    waiting = kept.waiting(own)
    if waiting and kept.same_content(waiting, draft, follows=follows.manifest_sha256):
        request = load_request(waiting.request)
        if (request.chain, request.targets, request.major) == (fresh.chain, fresh.targets, fresh.major):
            return _signed_here(own, waiting, request, ask)
    request = _with_keys_here(own, fresh, ask)
    if lacking := missing(request):
        return Asked(draft, request, lacking, kept.keep(own, draft, request, follows=follows.manifest_sha256))
    return Asked(draft, request)


def _signed_here(own: OwnList, waiting: kept.Kept, request: SigningRequest, ask: Ask) -> Asked:
    request = _with_keys_here(own, request, ask)
    write_atomic(waiting.request, request.to_bytes())
    return Asked(waiting.draft, request, missing(request), waiting)


def _with_keys_here(own: OwnList, request: SigningRequest, ask: Ask) -> SigningRequest:
    return sign_request(request, uses(request, keys_here([own.publisher.keys_folder], ())), ask=ask)


def kept_outdated(own: OwnList, published: Draft) -> str:
    """What to say of a release that waits for signatures, now that `published` has come first; "" if none does."""
    waiting = kept.waiting(own)
    if waiting is None:
        return ""
    if waiting.draft.manifest == published.manifest:
        kept.drop(own)
        return ""
    version = waiting.draft.manifest.version
    return (
        f"A release of {own.name} waited for major signatures, as version {version}. This one came first, so that one "
        f"is void: publish it again for two to sign. Destroy the copies of {waiting.request}."
    )


def _request(
    session: Session, own: OwnList, draft: Draft, need: MajorNeed, *, follows: Held, now: datetime
) -> SigningRequest:
    """The major role's next metadata, naming `draft`, unsigned, with all that its signers have to see."""
    mine = own.publisher
    stands = standing(session, mine)
    before = Repository(mine.home, session, mine.domain).standing_major()
    document = Major(
        own.list_id,
        own.name,
        draft.manifest.version,
        need.lost,
        draft.manifest_upload.ref,
        held=follows.entries,
        made_at=now.replace(microsecond=0),
    )
    request = SigningRequest(
        mine.domain,
        stands.chain,
        stands.targets,
        {MAJOR: sign_major(before, documents=[document], signers=[], now=now)},
        known_officers(mine),
        major=before,
        documents={document.path: document.to_bytes()},
    )
    check_request(request)
    return request


# --- handing in --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submitted:
    """`job` when the release went out; else who is `missing`, or neither where it had gone out already."""

    own: OwnList
    version: int
    request: SigningRequest
    missing: tuple[Need, ...] = ()
    job: Job | None = None


def is_of_major(copies: Sequence[SigningRequest]) -> bool:
    """Whether what is asked for is a major and nothing else."""
    return all(set(copy.roles) == {MAJOR} for copy in copies)


def submit_major(
    session: Session,
    mine: OwnPublisher,
    copies: Sequence[SigningRequest],
    *,
    ask: Ask,
    listener: Listener,
) -> Submitted:
    """Merge what was signed and, once it is enough, publish the very release that waits for it.

    Raises StaleRequest when the list or the publisher has moved on, MalformedRequest for a request of something else,
    and what `releasing.release` raises; then it waits on, and may be submitted again.
    """
    request = merge(copies)
    own = _list_of(mine, request)
    with mine.home.lock(f"publish-{own.list_id}"):
        settle(session, own, listener)
        held = bring_up_to_date(session, own)
        waiting = kept.read_kept(own)
        if waiting is None:
            if (went_out := _version_of_accepted(session, own, request)) is not None:
                return Submitted(own, went_out, request)
            raise _stale(own, "No release of this list waits here any more.")
        version = waiting.draft.manifest.version
        if held and held.manifest_sha256 == waiting.draft.manifest_upload.ref.sha256:
            kept.drop(own)
            return Submitted(own, version, request)
        if held is None or held.manifest_sha256 != waiting.follows:
            raise _stale(own, f"Version {held.version if held else 0} was published meanwhile, without it.")
        request = merge([load_request(waiting.request), request])
        _check_current(session, own, request)
        asked = _signed_here(own, waiting, request, ask)
        if asked.missing:
            return Submitted(own, version, asked.request, asked.missing)
        job = _release(session, own, asked, signer(mine, "feed", ask), follows=held.role_version, listener=listener)
        kept.drop(own)
        return Submitted(own, version, asked.request, job=job)


def _release(session: Session, own: OwnList, asked: Asked, feed: Signer, *, follows: int, listener: Listener) -> Job:
    stages = Stages(listener.stage)
    job, _ = release(
        session, own, asked.draft, feed=feed, follows=follows, listener=listener, stages=stages, major=asked.major
    )
    return job


def _list_of(mine: OwnPublisher, request: SigningRequest) -> OwnList:
    """Raises MalformedRequest when it is not about just one list that is published from here."""
    named = {Major.parse(body).list_id for body in request.documents.values()}
    own = [find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs]
    found = [it for it in own if {it.list_id} == named]
    if not found or len(request.documents) != 1:
        raise MalformedRequest(
            "This request is for no release of a list that is published from here. Nothing was changed.",
            next_step="Submit it where the release was made.",
        )
    return found[0]


def _version_of_accepted(session: Session, own: OwnList, request: SigningRequest) -> int | None:
    """The version that the request's document stands for, if the hub has accepted that very document."""
    before = Repository(own.publisher.home, session, own.publisher.domain).standing_major()
    known = major_documents(before).values() if before is not None else ()
    [(path, body)] = request.documents.items()
    if before is None or ObjectRef.of(path, body) not in known:
        return None
    keep_metadata(own.publisher, before)
    return Major.parse(body).version


def _check_current(session: Session, own: OwnList, request: SigningRequest) -> None:
    """Raises StaleRequest."""
    stands = standing(session, own.publisher)
    before = Repository(own.publisher.home, session, own.publisher.domain).standing_major()
    if (request.chain, request.targets, request.major) != (stands.chain, stands.targets, before):
        raise _stale(own, f"{own.publisher.domain} has changed its keys or signed another major meanwhile.")


def _stale(own: OwnList, why: str) -> StaleRequest:
    kept.drop(own)
    return StaleRequest(
        f"{why} So these signatures fit nothing that can follow. Nothing was published.",
        next_step=f"Publish the file to {own.name} again; two have to sign the new request.",
    )
