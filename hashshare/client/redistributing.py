"""Change what other hubs may do with a list: a release that changes no entry, only the policy in the signed manifest.

It is published at once, since what is narrowed should be narrow soon, and nothing of it waits on this machine.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from hashshare.client.adoption import draft_unchanged, held_state, manifest_of, next_base, work_folder
from hashshare.client.commits import Job
from hashshare.client.hosting import refuse_hosted_policy
from hashshare.client.mending import repeat_mended
from hashshare.client.publication import Listener
from hashshare.client.publisher import AskPassphrase, OwnList, save_list, signer
from hashshare.client.releasing import release
from hashshare.client.rotation import finish_rotation
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date, settle
from hashshare.client.stages import Stages
from hashshare.client.store import Held
from hashshare.wire.countries import COUNTRIES, USUAL_MISTAKES
from hashshare.wire.errors import UsageError
from hashshare.wire.manifest import HUB, POLICIES, Redistribution


@dataclass(frozen=True, slots=True)
class Redistributed:
    """`version` of the list now, None before its first release; `job` is None where the policy said so before, or is
    said with the first release.
    """

    before: Redistribution
    policy: Redistribution
    version: int | None
    job: Job | None


def read_policy(policy: str, *, peers: tuple[str, ...] = (), not_in: tuple[str, ...] = ()) -> Redistribution:
    """As a person typed it. Raises UsageError for what would forbid or allow something else than it says."""
    if policy not in POLICIES:
        raise UsageError(f"The policy {policy!r} is none of {', '.join(POLICIES)}.")
    if wrong := [hub for hub in peers if not HUB.fullmatch(hub)]:
        raise UsageError(
            f"{wrong[0]!r} is not a hub's name.", next_step="A hub is named by its address: south.example."
        )
    if peers and policy == "none":
        raise UsageError("The policy none lets no hub have the list, so it names none.", next_step="Say named.")
    if policy == "named" and not peers:
        raise UsageError("The policy named names no hub.", next_step="Name them with --peers, or say none.")
    return Redistribution(policy, tuple(dict.fromkeys(peers)), tuple(dict.fromkeys(map(_country, not_in))))


def _country(text: str) -> str:
    code = text.upper()
    if code in COUNTRIES:
        return code
    meant = USUAL_MISTAKES.get(code, "")
    raise UsageError(
        f"{text!r} is not a country's code of ISO 3166-1.",
        next_step=f"Did you mean {meant}?" if meant else "Name each country by its two letters, such as NL.",
    )


def redistribute(
    session: Session, own: OwnList, policy: Redistribution, *, ask: AskPassphrase, now: datetime, listener: Listener
) -> Redistributed:
    """Say `policy` from the next version on, and publish that. Before a list's first release it is only kept.

    Raises UsageError for a list that the hub signs, and what a publication raises.
    """
    refuse_hosted_policy(own)
    finish_rotation(session, own.publisher, now=now)

    def publish() -> Redistributed:
        settle(session, own, listener)
        held = bring_up_to_date(session, own, listener)
        before = own.terms.redistribution if held is None else manifest_of(own).redistribution
        # What a newer version of this program may have said beside it is not for this one to take away.
        wanted = dataclasses.replace(policy, extra=before.extra)
        job = None if held is None or wanted == before else _release(session, own, held, wanted, ask, now, listener)
        save_list(own.publisher, own.slug, dataclasses.replace(own.terms, redistribution=wanted))
        version = None if held is None else held.version + (job is not None)
        return Redistributed(before, wanted, version, job)

    with own.publisher.home.lock(f"publish-{own.list_id}"):
        return repeat_mended(own, listener, publish)


def _release(
    session: Session,
    own: OwnList,
    held: Held,
    policy: Redistribution,
    ask: AskPassphrase,
    now: datetime,
    listener: Listener,
) -> Job:
    stages = Stages(listener.stage)
    waiting = next_base(own, held, now=now, listener=listener, adopt=False)
    with waiting as base, held_state(own, held), work_folder(own) as work:
        draft = draft_unchanged(own, base, work, now=now, stages=stages)
        draft = dataclasses.replace(draft, manifest=dataclasses.replace(draft.manifest, redistribution=policy))
        feed = signer(own.publisher, "feed", ask)
        job, _ = release(session, own, draft, feed=feed, follows=held.role_version, listener=listener, stages=stages)
    return job
