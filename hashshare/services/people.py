"""Making people's accounts, and ending all that is theirs when they leave."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q

from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey, Person
from hashshare.selectors.people import ROLES, Belongings, belongings, codes_of, made_for, sessions_of
from hashshare.services.second_factors import remove_second_factor, set_authenticator, set_recovery_codes
from hashshare.wire import errors
from hashshare.wire.plain_text import check_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person set up behind a one-time link, or at the first sign-in; what is empty stays as it is.

    `key` is the authenticator's, `step` that of the code which confirmed it, `codes` are recovery codes.
    """

    email: str = ""
    name: str = ""
    password_hash: str = field(default="", repr=False)
    key: bytes = field(default=b"", repr=False)
    step: int = 0
    codes: tuple[str, ...] = field(default=(), repr=False)


def create_person(
    *,
    email: str,
    role: str,
    password: str = "",
    name: str = "",
    organisation: Organisation | None = None,
    password_hash: str = "",
    second_factor_due: bool = False,
) -> Person:
    """With a password, or the hash of one. Raises UsageError for a bad or taken e-mail address."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise errors.UsageError(f"{email!r} is not an e-mail address.") from error
    check_name(name.strip(), what="The name")
    person = Person(
        email=email,
        name=name.strip()[:200],
        role=role,
        organisation=organisation,
        password=password_hash or make_password(password),
        second_factor_due=second_factor_due,
    )
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise errors.UsageError(f"{email} cannot be used for this account.") from error
    return person


@transaction.atomic
def someone_leaves(*, person: Person, by: str, now: datetime) -> Belongings:
    """End all that is a person's here, in one step; what was ended. Done again, it ends what has come since.

    1. Lock the person, the organisation, whose keys take turns, and the person's codes and keys, so that nothing can be
       made with one meanwhile. Rows that refer to these may be written, else whoever does so while they wait for the
       same locks would wait for good.
    2. Close the account and end its sessions: a browser is signed out at its next request.
    3. Revoke the keys, and the access keys made with them; tokens of a revoked key are refused from the same moment.
    4. Void the invitations that nobody has used.

    Raises Conflict for the last operator: nobody could undo it, or invite another.
    """
    lock_what_is_theirs(person)
    ending = belongings(person, now=now)
    deactivate_person(person=person)
    Session.objects.filter(pk__in=ending.sessions).delete()
    remove_second_factor(person=person)
    OrganisationKey.objects.filter(holder=person, revoked_at=None).update(revoked_at=now)
    AccessKey.objects.filter(made_for(person), revoked_at=None).update(revoked_at=now)
    Invitation.objects.filter(pk__in=[row.pk for row in ending.invitations], used_at=None).update(expires_at=now)
    logger.info("%s left, by %s: %s.", person.email, by, told(ending))
    return ending


def lock_what_is_theirs(person: Person) -> None:
    """Raises Conflict for the last operator. Operators are locked together, so that two cannot end each other."""
    group = Q(role=Person.Role.OPERATOR) if person.role == Person.Role.OPERATOR else Q(pk=person.pk)
    people = Person.objects.select_for_update(no_key=True).filter(group).order_by("pk")
    others = [other for other in people if other.is_operator and other.pk != person.pk]
    if person.is_operator and not others:
        raise errors.Conflict(
            f"{person} is the last operator here.", next_step="Invite another operator first: manage.py createoperator"
        )
    if person.organisation_id is not None:
        Organisation.objects.select_for_update(no_key=True).get(pk=person.organisation_id)
    for rows in (codes_of(person).filter(used_at=None), OrganisationKey.objects.filter(holder=person)):
        list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))


def told(ending: Belongings) -> str:
    """What was ended, in a line for the record."""
    named = {
        "sessions": [str(len(ending.sessions))] if ending.sessions else [],
        "keys": [row.fingerprint for row in ending.keys],
        "access keys": [f"hsk_{row.prefix}" for row in ending.access_keys],
        "invitations": [str(row) for row in ending.invitations],
    }
    parts = [f"{kind}: {', '.join(names)}" for kind, names in named.items() if names]
    return "; ".join(["account closed", *parts])


def set_chosen(*, person: Person, chosen: Chosen, now: datetime) -> None:
    """In the caller's transaction."""
    if chosen.password_hash:
        person.password = chosen.password_hash
        person.save(update_fields=["password"])
    if chosen.key:
        set_authenticator(person=person, key=chosen.key, step=chosen.step, now=now)
    if chosen.codes:
        set_recovery_codes(person=person, codes=chosen.codes, now=now)


def end_sessions(*, person: Person, now: datetime, but: str = "") -> int:
    """Sign the person out everywhere, `but` in the session of that key; how many sessions there were."""
    ending = [key for key in sessions_of(person, now=now) if key != but]
    Session.objects.filter(pk__in=ending).delete()
    return len(ending)


def fitting_roles(organisation: Organisation) -> list[tuple[str, str]]:
    """The roles that its people may have, each with its label."""
    fitting = ROLES[organisation.kind]
    return [(value, label) for value, label in Person.Role.choices if value in fitting]


def require_fitting_role(role: str, *, organisation: Organisation) -> None:
    """Raises UsageError that names the roles which fit."""
    fitting = ROLES[organisation.kind]
    if role not in fitting:
        raise errors.UsageError(
            f"{organisation} is a {organisation.kind}: its people are {' or '.join(fitting)}, not {role}.",
            next_step=f"Choose {' or '.join(fitting)}.",
        )


@transaction.atomic
def change_role(*, person: Person, role: str, now: datetime) -> None:
    """Within the person's organisation, to one that fits it; nobody becomes an operator by it. Ends the person's
    sessions.

    Raises UsageError.
    """
    if person.organisation is None or role not in {*Person.Role.values} - {Person.Role.OPERATOR}:
        raise errors.UsageError("Only people of an organisation change roles, and none of them becomes an operator.")
    require_fitting_role(role, organisation=person.organisation)
    Person.objects.filter(pk=person.pk).update(role=role)
    person.role = role
    end_sessions(person=person, now=now)


@transaction.atomic
def change_password(*, person: Person, password_hash: str, now: datetime, but: str = "") -> None:
    """And end the person's sessions, `but` the one in which it was done."""
    person.password = password_hash
    person.save(update_fields=["password"])
    end_sessions(person=person, now=now, but=but)


def deactivate_person(*, person: Person) -> None:
    """Close the account. Its sessions die with it: every request checks `is_active` and the password of its person."""
    person.is_active = False
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
