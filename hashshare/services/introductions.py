"""An organisation's own key vouches for another: at once, by its signature, or by a code for a second machine."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from hashshare.models import Invitation, Organisation, OrganisationKey, Person
from hashshare.selectors.callers import Caller, caller_of_person
from hashshare.services.codes import CODE_LENGTH, code_of
from hashshare.services.invitations import code_hash, invite_key
from hashshare.services.keys import MAX_KEY_DAYS, add_key
from hashshare.services.one_time import SENT_AGAIN_WITHIN, drawn
from hashshare.wire import errors
from hashshare.wire.introductions import check_proof
from hashshare.wire.plain_text import check_name

MAX_KEYS: Final = 20
"""Of one organisation at a time, those whose window is still to begin and open codes included."""
MAX_KEYS_A_MONTH: Final = 100
MAX_WAIT: Final = timedelta(days=90)
"""How far ahead a key's window may begin."""
CODE_VALID_FOR: Final = timedelta(days=1)


@transaction.atomic
def introduce_key(
    *,
    caller: Caller,
    public_key: bytes,
    proof: bytes,
    name: str,
    days: int,
    now: datetime,
    not_before: datetime | None = None,
) -> tuple[OrganisationKey, bool]:
    """Register a further key of the caller's organisation, and say whether it is new; the same again answers the same.

    `proof`: see wire.introductions. The new key has the holder of the one that introduces it. It opens doors for `days`
    from `not_before`, else from now. Raises BadSignature, UsageError for a window too long or too far ahead, Conflict
    for a key that is known otherwise or one too many.
    """
    caller.require_write()
    begins = not_before or now
    if not 1 <= days <= MAX_KEY_DAYS:
        raise errors.UsageError(f"A key lasts 1 to {MAX_KEY_DAYS} days.")
    if not now - timedelta(minutes=10) <= begins <= now + MAX_WAIT:
        raise errors.UsageError(f"A key's window begins now or within {MAX_WAIT.days} days.")
    if not name.strip():
        raise errors.UsageError("A key needs a name, so that people can tell which machine has it.")
    check_name(name.strip(), what="The key's name")
    check_proof(proof, public_key=public_key, hub=settings.HASHSHARE_PUBLIC_URL, introducer=caller.key_id)
    introducer = _introducer(caller, now)
    known = _same_key(caller, public_key, now)
    if known is not None:
        return known, False
    check_room(caller.organisation, now=now)
    return add_key(
        organisation=caller.organisation,
        public_key=public_key,
        name=name.strip(),
        now=now,
        not_before=not_before,
        not_after=begins + timedelta(days=days),
        holder=introducer.holder,
        introduced_by=introducer,
    ), True


@transaction.atomic
def invite_machine_by_person(*, person: Person, name: str, now: datetime, form: str = "") -> tuple[Invitation, str]:
    """The same by a signed-in person of the organisation, who is the one to answer for the key: when that person
    leaves, code and key end. The same `form` again answers the same, as after a double click.

    Raises NotAllowed for an operator, UsageError for a name that is missing, Conflict for one too many.
    """
    caller = caller_of_person(person)
    if not name.strip():
        raise errors.UsageError("A key needs a name, so that people can tell which machine has it.")
    check_name(name.strip(), what="The key's name")
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=caller.organisation.pk)
    holder = person_of(organisation, person.email)
    code = code_of(drawn(caller=caller, purpose="machine-code", form=form, size=CODE_LENGTH))
    made = Invitation.objects.filter(code_hash=code_hash(code)).first()
    if made is not None and (made.used_at is not None or made.created_at < now - SENT_AGAIN_WITHIN):
        raise errors.Conflict("This form was sent before.", next_step="Open it again to make another code.")
    if made is not None:
        return made, code
    check_room(organisation, now=now)
    return invite_key(
        organisation=organisation, now=now, valid_for=CODE_VALID_FOR, key_name=name.strip(), holder=holder, code=code
    )


@transaction.atomic
def invite_machine(*, caller: Caller, name: str, holder: str, now: datetime) -> tuple[Invitation, str]:
    """A code, good once within a day, for one more machine of the caller's own. `holder`: an e-mail, or "".

    Raises UsageError for a name that is missing or a person who is not of the organisation, Conflict for one too many.
    """
    caller.require_write()
    if not name.strip():
        raise errors.UsageError("A key needs a name, so that people can tell which machine has it.")
    check_name(name.strip(), what="The key's name")
    introducer = _introducer(caller, now)
    check_room(caller.organisation, now=now)
    return invite_key(
        organisation=caller.organisation,
        now=now,
        valid_for=CODE_VALID_FOR,
        key_name=name.strip(),
        holder=person_of(caller.organisation, holder) if holder else None,
        made_with=introducer,
    )


def _introducer(caller: Caller, now: datetime) -> OrganisationKey:
    """The caller's key, as it is when the organisation's keys have their turn: what revoked it meanwhile holds, and it
    brings nothing more. Raises NotAuthenticated.
    """
    Organisation.objects.select_for_update(no_key=True).get(pk=caller.organisation.pk)
    key = OrganisationKey.objects.select_related("holder").get(fingerprint=caller.key_id)
    if key.state_at(now) != "active":
        raise errors.NotAuthenticated
    return key


def person_of(organisation: Organisation, email: str) -> Person:
    """Raises UsageError, the same for somebody else's person and for nobody's."""
    person = organisation.people.filter(email=email.strip().lower(), is_active=True).first()
    if person is None:
        raise errors.UsageError(f"{organisation} has no such person here.")
    return person


def check_room(organisation: Organisation, *, now: datetime) -> None:
    """Raises Conflict when the organisation has as many keys as it may."""
    keys = OrganisationKey.objects.filter(organisation=organisation)
    codes = Invitation.objects.filter(organisation=organisation, kind=Invitation.Kind.ORGANISATION, used_at=None)
    if keys.not_over(now).count() + codes.filter(expires_at__gt=now).count() >= MAX_KEYS:
        raise errors.Conflict(
            f"Your organisation has {MAX_KEYS} keys and open codes, as many as it may.",
            next_step="Revoke one that is no longer used: hashshare key list",
        )
    if keys.filter(created_at__gt=now - timedelta(days=30)).count() >= MAX_KEYS_A_MONTH:
        raise errors.Conflict(
            f"Your organisation has made {MAX_KEYS_A_MONTH} keys within thirty days, as many as it may.",
            next_step="Wait, or ask the hub's operator.",
        )


def _same_key(caller: Caller, public_key: bytes, now: datetime) -> OrganisationKey | None:
    """The caller's key if an earlier request, whose answer was lost, brought it already."""
    for key in OrganisationKey.objects.filter(organisation=caller.organisation).not_over(now):
        if hmac.compare_digest(bytes(key.public_key), public_key):
            return key
    return None
