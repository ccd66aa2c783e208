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

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hashshare.client import replacing, trust
from hashshare.client.commits import Job, Watch, commit, wait
from hashshare.client.home import Home, naming, write_atomic
from hashshare.client.keyring import take_over
from hashshare.client.officers import keys_here, sign_request, uses
from hashshare.client.publisher import OwnPublisher
from hashshare.client.refeeding import feeds_anew
from hashshare.client.session import Session
from hashshare.client.signed_majors import documents_of, keep_metadata
from hashshare.client.signers import Ask
from hashshare.wire.errors import (
    Conflict,
    ExpiredMetadata,
    MalformedRequest,
    NotEntitled,
    NotFound,
    StaleRequest,
    VerificationFailed,
)
from hashshare.wire.repository import read_role, root_fingerprint
from hashshare.wire.repository.cards import OfficerCard, read_card
from hashshare.wire.repository.metadata import MAJOR
from hashshare.wire.repository.request_files import MAX_REQUEST, check_request, read_request
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
class Standing:
    """What the hub has accepted: every root from version 1 on, and targets. Empty and None before the first commit."""

    chain: tuple[bytes, ...] = ()
    targets: bytes | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """`job` when it was committed; else `path`, the file to carry to officers, and the thresholds that are `missing`.

    All three are empty when the hub had it already.
    """

    request: SigningRequest
    job: Job | None = None
    path: Path | None = None
    missing: tuple[Need, ...] = ()


def standing(session: Session, mine: OwnPublisher, *, root_alone: bool = False) -> Standing:
    """Fetch and verify what stands; what has expired stands all the same. Raises the VerificationFailed tree.

    `root_alone`: for a change of the root and nothing else, which is what mends a hub's signatures that the root does
    not cover, or no longer should: then roots are what counts, and targets are as last verified.
    """
    ignored = (ExpiredMetadata, NotFound, NotEntitled, *([VerificationFailed] if root_alone else []))
    with contextlib.suppress(*ignored):
        trust.Repository(mine.home, session, mine.domain).refresh()
    return kept_standing(mine.home, mine.domain)


def kept_standing(home: Home, domain: str) -> Standing:
    """As last verified and kept here."""
    folder = trust.metadata_dir(home, domain)
    path = trust.root_path(home, domain)
    if not path.exists():
        return Standing()
    chain = [path.read_bytes()]
    while (following := folder / "root_history" / f"{len(chain) + 1}.root.json").exists():
        chain.append(following.read_bytes())
    targets = folder / "targets.json"
    return Standing(tuple(chain), targets.read_bytes() if targets.exists() else None)


def kept_root(home: Home, domain: str) -> bytes | None:
    """The newest root as last verified and kept here, None before the first."""
    chain = kept_standing(home, domain).chain
    return chain[-1] if chain else None


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
    major = trust.Repository(mine.home, session, mine.domain).standing_major()
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


# --- requests that wait ------------------------------------------------------------------------------------------


def request_path(mine: OwnPublisher, request: SigningRequest) -> Path:
    """Named by what it asks for: `root-2.targets-3.json`."""
    named = [f"{role}-{read_role(role, body).version}" for role, body in sorted(request.roles.items())]
    return mine.requests_folder / f"{'.'.join(named)}.json"


def keep_request(mine: OwnPublisher, request: SigningRequest) -> Path:
    path = request_path(mine, request)
    write_atomic(path, request.to_bytes())
    return path


def load_request(path: Path) -> SigningRequest:
    """Raises MalformedRequest for anything but a sound signing request, OSError as usual."""
    with naming(path), path.open("rb") as file:
        body = file.read(MAX_REQUEST + 1)
    return read_request(body)


def waiting_requests(mine: OwnPublisher) -> list[tuple[Path, SigningRequest]]:
    """The requests kept here with their files, though the hub may have moved on since."""
    return [(path, load_request(path)) for path in sorted(mine.requests_folder.glob("*.json"))]


def open_request(mine: OwnPublisher, stands: Standing, *, now: datetime) -> SigningRequest | None:
    """The request kept here that still follows what stands and has not expired; those that do not are removed."""
    found: SigningRequest | None = None
    for path, request in waiting_requests(mine):
        try:
            check_current(request, stands, now=now)
        except StaleRequest:
            path.unlink()
            continue
        found = request
    return found


def drop_request(mine: OwnPublisher, request: SigningRequest) -> None:
    """Forget a request that waits. Copies elsewhere can still be submitted while what they follow stands."""
    request_path(mine, request).unlink(missing_ok=True)


def known_officers(mine: OwnPublisher) -> tuple[Officer, ...]:
    """What the holders of this publisher's keys are called here, from their cards."""
    return tuple(card.officer for card in kept_cards(mine))


def keep_cards(mine: OwnPublisher, cards: Sequence[OfficerCard]) -> None:
    """Officers by name. The card that a name had before stays beside the new one: its keys may stand still."""
    for card in cards:
        path = cards_folder(mine) / card.file_name
        if path.exists():
            before = read_card(path.read_bytes())
            if before.officer != card.officer:
                ids = f"{before.root.keyid[:12]}-{before.targets.keyid[:12]}"
                write_atomic(path.with_name(f"{ids}.card.json"), before.to_bytes())
        write_atomic(path, card.to_bytes())


def kept_cards(mine: OwnPublisher) -> list[OfficerCard]:
    return [read_card(path.read_bytes()) for path in sorted(cards_folder(mine).glob("*.card.json"))]


def cards_folder(mine: OwnPublisher) -> Path:
    """Where officers' cards are kept: what is put there gives them their names on this machine."""
    return mine.folder / "officers"


def accepted(request: SigningRequest, stands: Standing) -> bool:
    """Whether the root and targets that the request asks for stand already, and so what was committed with them."""
    known: dict[str, list[bytes]] = {"root": list(stands.chain), "targets": [stands.targets] if stands.targets else []}
    return all(
        any(_content(role, body) == _content(role, other) for other in known.get(role, ()))
        for role, body in request.roles.items()
        if role in known
    )


def check_current(request: SigningRequest, stands: Standing, *, now: datetime) -> None:
    """Raises StaleRequest when the hub has moved on since the request was made, or what it asks for has expired."""
    if (request.chain, request.targets) != (stands.chain, stands.targets):
        raise StaleRequest(
            f"{request.publisher} has changed since this request was made, so it can not follow any more."
        )
    for role, body in request.roles.items():
        if (file := read_role(role, body)).expires <= now:
            raise StaleRequest(
                f"What this request would sign as {role} {file.version} expired on {file.expires:%Y-%m-%d}."
            )


def same_change(one: SigningRequest, other: SigningRequest) -> bool:
    """Whether both ask for the same, but for expiry dates and signatures."""

    def asked(request: SigningRequest) -> Any:
        files = [read_role(role, body) for role, body in sorted(request.roles.items())]
        roles = {file.role: {**file.signed.to_dict(), "expires": ""} for file in files}
        return request.publisher, request.chain, request.targets, roles

    return bool(asked(one) == asked(other))


def _content(role: str, body: bytes) -> bytes:
    return read_role(role, body).metadata.signed_bytes


def another_waits(mine: OwnPublisher, waiting: SigningRequest) -> Conflict:
    return Conflict(
        f"Another change of {mine.domain} waits for its officers ({request_path(mine, waiting)}).",
        next_step=f"Submit it first, or drop it: hashshare publisher sign-request {mine.domain} --drop",
    )


def other_root(domain: str, fingerprint: str) -> Conflict:
    return Conflict(
        f"{domain} has a root already, and it was not made on this machine.",
        next_step="Work where its keys are, or restore the folder that holds them. If too few of its officers' keys "
        f"are left, and the hub's operator lets you: hashshare publisher init {domain} --anew",
        fingerprint=fingerprint,
    )
