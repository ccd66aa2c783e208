"""Sign again what would expire: a list's feed (14 days), a publisher's targets (90 days) and root (365 days).

Nothing that members hold changes, but for a base that waits to be adopted. What has expired already can still be
renewed, from the copies kept here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from hashshare.client.adoption import draft_unchanged, held_state, next_base, work_folder
from hashshare.client.ceremony import Proposed, propose
from hashshare.client.commits import Job, Watch
from hashshare.client.handover import hand_over
from hashshare.client.home import Home
from hashshare.client.identity import hub_keys
from hashshare.client.kept_metadata import feed_metadata
from hashshare.client.mending import check_held, repeat_mended
from hashshare.client.publication import Listener
from hashshare.client.publisher import AskPassphrase, OwnList, OwnPublisher, signer
from hashshare.client.refusals import Refusal
from hashshare.client.releasing import BaseRefusedError, give_up, release
from hashshare.client.rotation import finish_rotation
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date, settle
from hashshare.client.stages import Stages
from hashshare.client.standing import standing
from hashshare.client.store import Held, ListStore
from hashshare.client.sync import Head, sync_list
from hashshare.wire.errors import NotSynced, UsageError
from hashshare.wire.repository import next_root, read_role, renew_targets, sign_release
from hashshare.wire.repository.metadata import FEED_LIFE, ROOT_LIFE

DUE_SHARE: Final = 2
"""Renewed when less than one in so many parts of the life is left."""

NIGHT: Final = timedelta(days=1)
"""Earlier by so much, so that who signs every night has done so when the hub begins to warn, at half of the life."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """`role_version` and `expires` as they are now; `job` is None when it was not due. `base` is the version of the
    base that was adopted on the way, None if none was; `refused` tells of one that the hub refused.
    """

    role_version: int
    expires: datetime
    job: Job | None
    base: int | None = None
    refused: Refusal | None = None


def feed_due(own: OwnList, *, now: datetime) -> bool:
    """Whether the feed role's signature, as last seen, has half of its life left, or will have by the next night."""
    feed = feed_metadata(own.publisher.home, own.publisher.domain, own.list_id)
    return feed.expires - now < FEED_LIFE / DUE_SHARE + NIGHT


def refresh_list(
    session: Session, own: OwnList, *, ask: AskPassphrase, now: datetime, only_if_due: bool, listener: Listener
) -> Renewed:
    """Sign the list's current manifest again under the next role version. Raises NotSynced before a first release.

    A base that waits is adopted instead, by a release that changes no entry; it is signed anew just so.
    """

    def refresh(*, adopt: bool) -> Renewed:
        settle(session, own, listener)
        held = bring_up_to_date(session, own, listener)
        if held is None:
            raise NotSynced(f"{own.name} has no release yet.", next_step=f"hashshare publish {own.name} FILE")
        # Nothing else may read these files for weeks, and what rots unseen is found when it is needed most.
        check_held(own)
        if adopt and (adopted := _adopt_base(session, own, held, ask=ask, now=now, listener=listener)):
            return adopted
        if only_if_due and not feed_due(own, now=now):
            return _feed_now(own, None)
        job = sign_again(session, own, held, ask=ask, now=now, listener=listener)
        return _feed_now(own, job)

    finish_rotation(session, own.publisher, now=now)
    with own.publisher.home.lock(f"publish-{own.list_id}"):
        try:
            return repeat_mended(own, listener, partial(refresh, adopt=True))
        except BaseRefusedError as refused:
            listener.waiting(f"Refused with its new base, so without it: {refused.reason.message}")
            done = repeat_mended(own, listener, partial(refresh, adopt=False))
            return dataclasses.replace(done, refused=give_up(own, refused))


def _adopt_base(
    session: Session, own: OwnList, held: Held, *, ask: AskPassphrase, now: datetime, listener: Listener
) -> Renewed | None:
    """A release of no rows on the base that waits; None if none does. Raises BaseRefusedError."""
    stages = Stages(listener.stage)
    waiting = next_base(own, held, now=now, listener=listener)
    with waiting as base, held_state(own, held), work_folder(own) as work:
        if base.prepared is None:
            return None
        draft = draft_unchanged(own, base, work, now=now, stages=stages)
        feed = signer(own.publisher, "feed", ask)
        job, _ = release(session, own, draft, feed=feed, follows=held.role_version, listener=listener, stages=stages)
        return dataclasses.replace(_feed_now(own, job), base=base.prepared.version)


def sign_again(
    session: Session, own: OwnList, held: Held, *, ask: AskPassphrase, now: datetime, listener: Listener
) -> Job:
    """The refresh itself, for a list known to be up to date and locked."""
    home = own.publisher.home
    manifest = ListStore(home, own.list_id).manifest_bytes()
    envelope = sign_release(
        list_id=own.list_id,
        manifest=manifest,
        version=held.role_version + 1,
        signers=[signer(own.publisher, "feed", ask)],
        now=now,
    )
    job = hand_over(session, own, envelope, follows=held.role_version, version=held.version, listener=listener)
    head = Head(own.name, own.list_id, own.publisher.domain, held.role_version + 1, held.version)
    sync_list(session, home, head, accept_shrink=True, force=True, history=True)
    return job


def _feed_now(own: OwnList, job: Job | None) -> Renewed:
    feed = feed_metadata(own.publisher.home, own.publisher.domain, own.list_id)
    return Renewed(feed.version, feed.expires, job)


def renew_publisher(
    session: Session,
    home: Home,
    domain: str,
    *,
    ask: AskPassphrase,
    now: datetime,
    with_root: bool = False,
    sign: bool = True,
    watch: Watch | None = None,
) -> Proposed:
    """Sign targets again, and root too when it is due or `with_root`, or write the request for the officers to do so.

    A renewed root names the keys that the hub has now. Without `sign` it is a request in any case. Raises
    VersionConflict when another machine was faster.
    """
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        stands = standing(session, mine)
        if stands.targets is None:
            raise UsageError(f"{domain} has no root yet.", next_step=f"Run: hashshare publisher init {domain}")
        roles = {"targets": renew_targets(stands.targets, signers=[], now=now)}
        root = stands.chain[-1]
        if with_root or read_role("root", root).expires - now < ROOT_LIFE / DUE_SHARE:
            roles = {"root": next_root(root, hub_keys=hub_keys(session), signers=[], now=now), **roles}
        return propose(session, mine, roles, stands=stands, ask=ask, now=now, sign=sign, watch=watch)
