"""Who may be granted which list, and who decides on it: what the hub asks before it passes a list on."""

from __future__ import annotations

from datetime import datetime

from federation import policy as rules
from federation.models import Members, Peer, TakenTerms
from federation.selectors.crossing import judge_giving, policy_of
from hashshare.models import HashList, Organisation


def why_not(found: HashList, organisation: Organisation, now: datetime) -> str:
    """The reason, as a sentence; "" if the organisation may be granted the list."""
    verdict = _verdict(found, organisation, now)
    return verdict.reason if isinstance(verdict, rules.Failure) else ""


def decided_at(found: HashList) -> str:
    """The name of the hub where requests for the list are decided on; "" for this one."""
    if found.publisher.mirrored_from_id is None:
        return ""
    taken = TakenTerms.objects.filter(list=found).first()
    if taken is not None and taken.members == Members.HUB:
        return ""
    peer = Peer.objects.filter(organisation=found.publisher.mirrored_from_id).first()
    return peer.name if peer is not None else ""


def _verdict(found: HashList, organisation: Organisation, now: datetime) -> rules.Verdict:
    if organisation.kind == Organisation.Kind.HUB:
        peer = Peer.objects.filter(organisation=organisation).first()
        if peer is None:
            return rules.Failure(f"{organisation} is no peer of this hub.")
        return judge_giving(found, peer, now=now)
    if found.publisher.mirrored_from_id is None:
        return rules.Success()
    if found.closed_at is not None:
        taken = TakenTerms.objects.filter(list=found).first()
        said = taken.closed_for if taken else ""
        return rules.Failure(f"This hub may no longer pass the list on. {said}".strip())
    return rules.may_hold(policy_of(found), country=organisation.country, kind=organisation.kind)
