"""Letting a person choose a password or second factor anew, by a one-time link that an operator hands over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from hashshare.models import Invitation, Person
from hashshare.services.codes import new_code
from hashshare.services.invitations import code_hash, locked
from hashshare.services.people import Chosen, end_sessions, set_chosen
from hashshare.services.second_factors import remove_second_factor
from hashshare.wire import errors

VALID_FOR: Final = timedelta(days=2)


@transaction.atomic
def reset_sign_in(*, person: Person, renews: str, now: datetime) -> tuple[Invitation, str]:
    """A code for the page where the person chooses anew. What it renews is void from now on, as are the person's
    sessions and older resets: whoever may have the old ones is out at once, not when the link is used.

    Raises UsageError for a closed account.
    """
    if not person.is_active:
        raise errors.UsageError("This account is closed.", next_step="Invite the person anew.")
    Invitation.objects.filter(holder=person, kind=Invitation.Kind.RESET, used_at=None).update(expires_at=now)
    end_sessions(person=person, now=now)
    if renews != Invitation.Renews.SECOND_FACTOR:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    if renews != Invitation.Renews.PASSWORD:
        remove_second_factor(person=person)
        Person.objects.filter(pk=person.pk).update(second_factor_due=False)
    code = new_code()
    invitation = Invitation.objects.create(
        kind=Invitation.Kind.RESET,
        organisation=person.organisation,
        holder=person,
        email=person.email,
        renews=renews,
        code_hash=code_hash(code),
        created_at=now,
        expires_at=now + VALID_FOR,
    )
    return invitation, code


@transaction.atomic
def accept_reset(*, code: str, chosen: Chosen, now: datetime) -> Person:
    """Set what was chosen, and use the code up. Raises InvitationInvalid."""
    invitation = locked(code, Invitation.Kind.RESET)
    if invitation.used_at is not None or invitation.expires_at <= now or invitation.holder is None:
        raise errors.InvitationInvalid
    person = Person.objects.select_for_update(no_key=True, of=("self",)).get(pk=invitation.holder.pk)
    if not person.is_active:
        raise errors.InvitationInvalid
    set_chosen(person=person, chosen=chosen, now=now)
    end_sessions(person=person, now=now)
    invitation.used_at, invitation.used_by = now, person.email
    invitation.save(update_fields=["used_at", "used_by"])
    return person
