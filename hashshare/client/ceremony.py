"""Changing a publisher's root, targets or other officers' metadata: sign with the keys here, then commit or ask.

Every such change is *proposed*. What the keys on this machine cannot complete becomes a signing request, a file that is
carried to the officers (`publisher sign`, offline) and handed in when it comes back (`publisher submit`).

    stands = standing(session, mine)                       # refreshed: chain of roots, targets
    roles = {"targets": renew_targets(stands.targets, signers=[], now=now)}     # UNSIGNED; root likewise by next_root
    done = propose(session, mine, roles, stands=stands, ask=ask, now=now)
    if done.job is None: ...                               # done.path is the request, done.missing who has to sign

A list that new targets give to another feed key needs no role here: its feed is signed anew with the key that is here
and named, at the moment of the commit (`refeeding`). Commands end with `cli.requests.tell(out, done)`.

A request that waits is kept in HOME/publisher/<domain>/requests/; proposing the same change again answers the same
request with the signatures it has, so every command may be repeated. One request waits at a time: of two that follow
the same metadata only one could be accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hashshare.client import replacing, trust
from hashshare.client.cards import known_officers
from hashshare.client.commits import Job, Watch, commit, wait
from hashshare.client.home import write_atomic
from hashshare.client.keyring import take_over
from hashshare.client.officers import keys_here, sign_request, uses
from hashshare.client.publisher import OwnPublisher
from hashshare.client.refeeding import feeds_anew
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.client.signed_majors import documents_of, keep_metadata
from hashshare.client.signers import Ask
from hashshare.client.standing import Standing, kept_standing, standing
from hashshare.client.waiting import (
    accepted,
    another_waits,
    check_current,
    drop_request,
    keep_request,
    open_request,
    same_change,
)
from hashshare.wire.errors import (
    Conflict,
    MalformedRequest,
)
from hashshare.wire.repository import read_role, root_fingerprint
from hashshare.wire.repository.metadata import MAJOR
from hashshare.wire.repository.request_files import check_request
from hashshare.wire.repository.requests import (
    Need,
    Officer,
    SigningRequest,
    content_digest,
    merge,
    missing,
)

ORDER: Final = ("root", "targets", "major")


@dataclass(frozen=True, slots=True)
class Proposed:
    """`job` when it was committed; else `path`, the file to carry to officers, and the thresholds that are `missing`.

    All three are empty when the hub had it already.
    """

    request: SigningRequest
    job: Job | None = None
    path: Path | None = None
    missing: tuple[Need, ...] = ()


def propose(
    session: Session,
    mine: OwnPublisher,
    roles: Mapping[str, bytes],
    *,
    stands: Standing,
    ask: Ask,
    now: datetime,
    officers: Sequence[Officer] = (),
    instead: bool = False,
    sign: bool = True,
    major: bytes | None = None,
    watch: Watch | None = None,
) -> Proposed:
    """Sign new metadata (role name -> bytes) with the keys here; commit it if that suffices, else keep a request.

    `officers`: what to call the holders of the keys; those of the founding cards unless given. `instead`: in place of
    the request that waits. Without `sign` the keys here are left alone. `major` is what stands of the major role, where
    `roles` have a new one. The caller holds the lock `publisher-<domain>`.
    Raises Conflict while another change waits for officers, and what commits.commit and commits.wait raise.
    """
    known = tuple(officers) or known_officers(mine)
    # Those who sign a major anew are told again what it lets go, as far as that is kept here.
    told = documents_of(mine, roles[MAJOR]) if MAJOR in roles else ()
    documents = {item.ref.path: item.body for item in told}
    request = SigningRequest(mine.domain, stands.chain, stands.targets, dict(roles), known, major, documents)
    check_request(request)
    waiting = open_request(mine, stands, now=now)
    if waiting is not None and not instead:
        if not same_change(waiting, request):
            raise another_waits(mine, waiting)
        same = content_digest(waiting) == content_digest(request)
        request = merge([request, waiting]) if same else waiting
    if waiting is not None and instead:
        drop_request(mine, waiting)
    if not sign and missing(request):
        return Proposed(request, path=keep_request(mine, request), missing=missing(request))
    return _go_on(session, mine, request, ask=ask, now=now, watch=watch)


def submit(
    session: Session, mine: OwnPublisher, copies: Sequence[SigningRequest], *, ask: Ask, now: datetime,
    watch: Watch | None = None, stands: Standing | None = None,
) -> Proposed:  # fmt: skip
    """Merge the signatures of `copies` and of the request kept here; commit it if they suffice.

    `stands` is asked for unless given.
    Raises MalformedRequest for copies of different requests or of another publisher, StaleRequest when the hub has
    moved on.
    """
    request = merge(copies)
    if request.publisher != mine.domain:
        raise MalformedRequest(f"The request is of {request.publisher}, not of {mine.domain}.")
    stands = stands or standing(session, mine, root_alone=set(request.roles) == {"root"})
    if accepted(request, stands):
        if not request.chain:
            # These bytes count: other officers' signatures may be under them than under this copy.
            write_atomic(mine.root_path, stands.chain[0])
        finish(session, mine, request, now=now)
        return Proposed(request)
    if stands.chain and not request.chain:
        raise other_root(mine.domain, root_fingerprint(stands.chain[0]))
    check_current(request, stands, now=now)
    waiting = open_request(mine, stands, now=now)
    if waiting is not None and content_digest(waiting) == content_digest(request):
        request = merge([request, waiting])
    elif waiting is not None and missing(request):
        raise another_waits(mine, waiting)
    return _go_on(session, mine, request, ask=ask, now=now, watch=watch)


def _go_on(
    session: Session, mine: OwnPublisher, request: SigningRequest, *, ask: Ask, now: datetime, watch: Watch | None
) -> Proposed:
    request = sign_request(request, uses(request, keys_here([mine.keys_folder])), ask=ask)
    lacking = missing(request)
    if lacking:
        return Proposed(request, path=keep_request(mine, request), missing=lacking)
    return Proposed(request, job=_commit(session, mine, request, ask=ask, now=now, watch=watch))


def _commit(
    session: Session, mine: OwnPublisher, request: SigningRequest, *, ask: Ask, now: datetime, watch: Watch | None
) -> Job:
    """Hand complete metadata to the hub and wait until it is accepted."""
    if not request.chain:
        # Kept before it is sent: the fingerprint is of these bytes.
        write_atomic(mine.targets_path, request.roles["targets"])
        write_atomic(mine.root_path, request.roles["root"])
    names = sorted(request.roles, key=lambda role: (ORDER.index(role) if role in ORDER else len(ORDER), role))
    roles = {role: request.roles[role] for role in names}
    after = roles.get("targets") or request.targets or b""
    # A publisher that begins anew follows nothing, but its lists do.
    anew = not request.chain and bool(mine.part)
    with feeds_anew(session, mine, before=request.targets, after=after, ask=ask, now=now, anew=anew) as feeds:
        roles |= feeds
        last = max(feeds, default=names[-1])
        job = commit(session, mine.domain, roles, follows=read_role(last, roles[last]).version - 1)
        job = wait(session, job.id, watch=watch)
        finish(session, mine, request, now=now)
    return job


def finish(session: Session, mine: OwnPublisher, request: SigningRequest, *, now: datetime) -> None:
    """Accepted: trust it here, keep the major that stands, let new keys take over, and forget the request."""
    if not request.chain:
        _trust_first(session, mine, mine.root_path.read_bytes())
    # For a hub that loses it: members keep none, and a change of officers signs it anew.
    major = Repository(mine.home, session, mine.domain).standing_major()
    if major is not None:
        keep_metadata(mine, major)
    stands = kept_standing(mine.home, mine.domain)
    if stands.targets is not None:
        take_over(mine, root=stands.chain[-1], targets=stands.targets, now=now)
    drop_request(mine, request)


def _trust_first(session: Session, mine: OwnPublisher, root: bytes) -> None:
    """The root that was made here, also in the place of one that was trusted before: nobody else could name it."""
    known, fingerprint = trust.publisher(mine.home, mine.domain), root_fingerprint(root)
    if known is not None and known.fingerprint not in ("", fingerprint):
        replacing.plan(mine.home, mine.domain, fingerprint)
        replacing.carry_out(mine.home, session, mine.domain)
        return
    trust.pin(mine.home, mine.domain, fingerprint)
    trust.remember_publisher(mine.home, mine.domain, root)


def other_root(domain: str, fingerprint: str) -> Conflict:
    return Conflict(
        f"{domain} has a root already, and it was not made on this machine.",
        next_step="Work where its keys are, or restore the folder that holds them. If too few of its officers' keys "
        f"are left, and the hub's operator lets you: hashshare publisher init {domain} --anew",
        fingerprint=fingerprint,
    )
