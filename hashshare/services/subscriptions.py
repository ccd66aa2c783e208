"""Asking for a list, and deciding on who gets it. Every change is compare-and-set on the state it starts from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.db import IntegrityError, transaction

from hashshare.models import HashList, Organisation, Subscription
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.deeds import decided_by
from hashshare.selectors.entitlements import own_list, visible_list
from hashshare.selectors.redistribution import decided_at, why_not
from hashshare.wire import errors

STATES = {
    "grant": Subscription.State.ACTIVE,
    "deny": Subscription.State.DENIED,
    "revoke": Subscription.State.REVOKED,
}
"""What each decision leads to."""

DECISIONS = tuple(STATES)
OPEN = (Subscription.State.REQUESTED, Subscription.State.ACTIVE)


@transaction.atomic
def request_subscription(
    *, caller: Caller, domain: str, slug: str, terms_digest: str, now: datetime
) -> tuple[Subscription, bool]:
    """Accept the list's terms and ask for it; true if that made a new request. Repeating it changes nothing.

    A grant that came before the request is completed by it; the hub's sandbox is granted at once. Raises NotEntitled,
    NotAllowed (a partner, or the publisher itself), NotRedistributed, TermsNotAccepted (fact `terms_digest`: what
    stands).
    """
    caller.require_write()
    found = visible_list(caller=caller, domain=domain, slug=slug)
    check_may_subscribe(caller, found)
    check_may_receive(found, caller.organisation, now)
    if terms_digest != found.terms_digest:
        raise errors.TermsNotAccepted(
            "The list's terms are not those that were accepted.",
            next_step=f"Read the terms of {found.name} and accept them as they stand.",
            terms_digest=found.terms_digest,
        )
    row = open_subscription(found, caller.organisation)
    if row is None:
        asked = new_subscription(found, caller.organisation, Subscription.State.REQUESTED, now, terms_digest)
        if found.publisher.sandbox:
            asked = grant(found, caller.organisation, asked, None, "The sandbox is for everyone.", now)
        return asked, True
    if row.terms_accepted_at is None or row.terms_digest != terms_digest:
        row.terms_digest, row.terms_accepted_at = terms_digest, now
        note_entitled(row, now)
        row.save(update_fields=["terms_digest", "terms_accepted_at", "entitled_at"])
    return row, False


def check_may_subscribe(caller: Caller, found: HashList) -> None:
    if caller.organisation.kind == Organisation.Kind.PARTNER:
        raise errors.NotAllowed("A partner sees the coalition's statistics, not its lists.")
    if found.publisher.organisation_id == caller.organisation.pk:
        raise errors.NotAllowed("A publisher reads its own list without a subscription.")


def check_may_receive(found: HashList, organisation: Organisation, now: datetime) -> None:
    """Raises NotRedistributed where the publisher's policy, or the hubs' agreement, keeps the list from it."""
    if reason := why_not(found, organisation, now):
        raise errors.NotRedistributed(
            f"{found.name} does not go to {organisation}: {reason}",
            next_step="To ask again helps only once that has changed: speak to the operator of this hub, or to "
            f"{found.publisher.domain}.",
        )


@transaction.atomic
def decide_subscription(
    *,
    caller: Caller,
    domain: str,
    slug: str,
    organisation: str,
    decision: str,
    now: datetime,
    until: date | datetime | None = None,
    reason: str = "",
    seen: str = "",
) -> Subscription:
    """Grant, deny or revoke, as the list's publisher. `until` is the end; a plain date means 00:00 UTC of that day.

    Granting an active subscription moves its end; granting without a request waits for the member to accept the
    terms. `seen`: what `standing_of` said of the subscription that is decided on, where a person read it before.
    Raises NotEntitled, UsageError, NotFound (no such organisation, or nothing to decide), Conflict (decided since),
    NotAllowed (its publisher decides on that at another hub), NotRedistributed.
    """
    caller.require_write()
    found = own_list(caller=caller, domain=domain, slug=slug)
    if hub := decided_at(found):
        raise errors.NotAllowed(
            f"{found.publisher.organisation} decides on {found.name} at {hub}; nothing was changed here.",
            next_step="Requests from here are passed on to it. Ask it to decide there, or to leave this hub's members "
            f"to you: hashshare peer-terms {found.name} {hub_name()} --members hub",
        )
    if decision not in DECISIONS:
        raise errors.UsageError(f"A decision is one of {', '.join(DECISIONS)}.")
    other = Organisation.objects.filter(slug=organisation).exclude(pk=caller.organisation.pk).first()
    row = open_subscription(found, other) if other else None
    if seen and row is not None:
        check_stands(row, seen)
    if other is None or (row is None and found.visibility != HashList.Visibility.PRIVATE):
        raise errors.NotFound(f"{organisation} has not asked for {found.name}.")
    if decision == "grant":
        return grant(found, other, row, moment(until), reason, now)
    if row is None:
        raise errors.NotFound(f"{organisation} has not asked for {found.name}.")
    return close(row, decision, reason, now)


def standing_of(row: Subscription) -> str:
    """Changes with every decision."""
    return f"{row.pk} {row.state} {row.decided_at.isoformat() if row.decided_at else 'undecided'}"


def stands_as(row: Subscription, *, decision: str, until: date | datetime | None, reason: str) -> bool:
    """Whether this very decision is what stands."""
    ends = row.ends_at if decision == "grant" else None
    stood = (STATES[decision], moment(until) if decision == "grant" else None, reason[:500])
    return (row.state, ends, row.reason) == stood


def check_stands(row: Subscription, seen: str) -> None:
    """Raises Conflict, saying who decided since and what stands."""
    if standing_of(row) == seen:
        return
    until = f" until {row.ends_at:%Y-%m-%d}" if row.ends_at else ""
    at = f" at {row.decided_at:%Y-%m-%d %H:%M} UTC" if row.decided_at else ""
    raise errors.Conflict(
        f"Decided meanwhile by {decided_by(row)}{at}: {row.state}{until}. Nothing was changed by this form.",
        next_step="Open it again to decide on what stands now.",
    )


def grant(
    found: HashList, other: Organisation, row: Subscription | None, until: datetime | None, reason: str, now: datetime
) -> Subscription:
    """Raises UsageError for an end in the past, NotRedistributed."""
    check_may_receive(found, other, now)
    if until is not None and until <= now:
        raise errors.UsageError("The subscription would end before it begins.")
    if other.kind == Organisation.Kind.PARTNER:
        raise errors.UsageError("A partner sees the coalition's statistics, not its lists.")
    if row is None:
        row = new_subscription(found, other, Subscription.State.ACTIVE, now, "")
    row.state, row.decided_at, row.ends_at, row.reason = Subscription.State.ACTIVE, now, until, reason[:500]
    note_entitled(row, now)
    row.save(update_fields=["state", "decided_at", "ends_at", "reason", "entitled_at"])
    return row


def note_entitled(row: Subscription, now: datetime) -> None:
    """Since when there are both a grant and accepted terms; what comes later does not move it."""
    if row.entitled_at is None and row.state == Subscription.State.ACTIVE and row.terms_accepted_at is not None:
        row.entitled_at = now


def close(row: Subscription, decision: str, reason: str, now: datetime) -> Subscription:
    """Deny what was asked for, revoke what is active. Raises Conflict the other way round."""
    expected = Subscription.State.REQUESTED if decision == "deny" else Subscription.State.ACTIVE
    if row.state != expected:
        raise errors.Conflict(f"The subscription is {row.state}; only one that is {expected} can be that.")
    row.state = STATES[decision]
    row.decided_at, row.closed_at, row.reason = now, now, reason[:500]
    row.save(update_fields=["state", "decided_at", "closed_at", "reason"])
    return row


def open_subscription(found: HashList, organisation: Organisation) -> Subscription | None:
    """The one that is requested or active, locked."""
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("organisation", "list__publisher")
    return rows.filter(list=found, organisation=organisation, state__in=OPEN).first()


def new_subscription(
    found: HashList, organisation: Organisation, state: str, now: datetime, terms_digest: str
) -> Subscription:
    """Raises Conflict when another request of the same pair comes in between."""
    try:
        with transaction.atomic():
            return Subscription.objects.create(
                list=found,
                organisation=organisation,
                state=state,
                terms_digest=terms_digest,
                terms_accepted_at=now if terms_digest else None,
                requested_at=now,
            )
    except IntegrityError as error:
        raise errors.Conflict from error


def moment(until: date | datetime | None) -> datetime | None:
    if until is None or isinstance(until, datetime):
        return until
    return datetime.combine(until, time(), UTC)
