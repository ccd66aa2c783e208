"""Inviting organisations and people, and what happens when the code is used."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import salted_hmac

from hashshare.models import Invitation, Organisation, OrganisationKey, Person
from hashshare.services.keys import MAX_KEY_DAYS, add_key
from hashshare.services.organisations import create_organisation
from hashshare.services.people import create_person
from hashshare.services.publishers import create_publisher
from hashshare.wire import errors

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0/O and 1/I; twelve of them are 60 random bits."""
CODE_LENGTH = 12

VALID_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`created` is false when the same code and key were presented again."""

    organisation: Organisation
    key: OrganisationKey
    created: bool


@transaction.atomic
def invite_organisation(
    *,
    kind: str,
    name: str,
    country: str,
    now: datetime,
    sector: str = "",
    domains: Iterable[str] = (),
    valid_for: timedelta = VALID_FOR,
) -> tuple[Invitation, str]:
    """Create the organisation, its publishers for `domains`, and a one-time code for its first machine key."""
    organisation = create_organisation(kind=kind, name=name, country=country, sector=sector)
    for domain in domains:
        create_publisher(organisation=organisation, domain=domain)
    return invite_key(organisation=organisation, now=now, valid_for=valid_for)


def invite_key(
    *,
    organisation: Organisation,
    now: datetime,
    valid_for: timedelta = VALID_FOR,
    key_name: str = "",
    holder: Person | None = None,
    made_with: OrganisationKey | None = None,
    code: str = "",
) -> tuple[Invitation, str]:
    """A code for one more machine key of an organisation that exists, or for one whose first code ran out.

    `holder` will answer for the key; `made_with` is the organisation's own key that asks, None for a person. `code`:
    a random one that is drawn already.
    """
    code = code or new_code()
    invitation = Invitation.objects.create(
        kind=Invitation.Kind.ORGANISATION,
        organisation=organisation,
        key_name=key_name[:200],
        holder=holder,
        made_with=made_with,
        code_hash=code_hash(code),
        created_at=now,
        expires_at=now + valid_for,
    )
    return invitation, code


def invite_person(
    *,
    role: str,
    now: datetime,
    organisation: Organisation | None = None,
    email: str = "",
    valid_for: timedelta = VALID_FOR,
) -> tuple[Invitation, str]:
    """A code for the page where a person sets a password. Only operators have no organisation."""
    if role not in Person.Role.values:
        raise errors.UsageError(f"A role is one of {', '.join(Person.Role.values)}.")
    if (role == Person.Role.OPERATOR) != (organisation is None):
        raise errors.UsageError("An operator belongs to no organisation; everyone else to one.")
    code = new_code()
    invitation = Invitation.objects.create(
        kind=Invitation.Kind.PERSON,
        organisation=organisation,
        role=role,
        email=email.strip().lower(),
        code_hash=code_hash(code),
        created_at=now,
        expires_at=now + valid_for,
    )
    return invitation, code


@transaction.atomic
def enrol(*, code: str, public_key: bytes, key_name: str, now: datetime) -> Enrolment:
    """Give the organisation its key, for two years. The name that the code was made for counts before `key_name`.

    The same code and key again answer the same; raises InvitationInvalid.
    """
    invitation = locked(code, Invitation.Kind.ORGANISATION)
    organisation = invitation.organisation
    if organisation is None or organisation.state == Organisation.State.SUSPENDED:
        raise errors.InvitationInvalid
    if invitation.used_at is not None:
        return repeated(invitation, organisation, public_key)
    if invitation.expires_at <= now or not still_vouched_for(invitation, now):
        raise errors.InvitationInvalid
    key = add_key(
        organisation=organisation,
        public_key=public_key,
        name=invitation.key_name or key_name,
        now=now,
        not_after=now + timedelta(days=MAX_KEY_DAYS),
        holder=invitation.holder,
        introduced_by=invitation.made_with,
    )
    invitation.used_at, invitation.used_by = now, key.fingerprint
    invitation.save(update_fields=["used_at", "used_by"])
    organisation.state = Organisation.State.ACTIVE
    organisation.save(update_fields=["state"])
    return Enrolment(organisation, key, created=True)


@transaction.atomic
def accept_person_invitation(*, code: str, email: str, name: str, password: str, now: datetime) -> Person:
    """Make the account that the invitation promised. An e-mail in the invitation wins over the one typed in.

    Raises InvitationInvalid, UsageError (weak password, bad or taken e-mail).
    """
    invitation = locked(code, Invitation.Kind.PERSON)
    if invitation.used_at is not None or invitation.expires_at <= now:
        raise errors.InvitationInvalid
    if invitation.organisation and invitation.organisation.state == Organisation.State.SUSPENDED:
        raise errors.InvitationInvalid
    try:
        validate_password(password)
    except ValidationError as error:
        raise errors.UsageError(" ".join(error.messages)) from error
    person = create_person(
        email=invitation.email or email,
        name=name,
        role=invitation.role,
        organisation=invitation.organisation,
        password=password,
    )
    invitation.used_at, invitation.used_by = now, person.email
    invitation.save(update_fields=["used_at", "used_by"])
    return person


def open_person_invitation(*, code: str, now: datetime) -> Invitation:
    """The invitation behind a link, for showing the page; changes nothing. Raises InvitationInvalid."""
    rows = Invitation.objects.select_related("organisation").exclude(organisation__state=Organisation.State.SUSPENDED)
    invitation = rows.filter(
        code_hash=code_hash(code), kind=Invitation.Kind.PERSON, used_at=None, expires_at__gt=now
    ).first()
    if invitation is None:
        raise errors.InvitationInvalid
    return invitation


def repeated(invitation: Invitation, organisation: Organisation, public_key: bytes) -> Enrolment:
    """A client whose first answer got lost asks again with the same key; anyone else's key is refused."""
    key = OrganisationKey.objects.filter(fingerprint=invitation.used_by, organisation=organisation).first()
    if key is None or key.revoked_at is not None or not hmac.compare_digest(bytes(key.public_key), public_key):
        raise errors.InvitationInvalid
    return Enrolment(organisation, key, created=False)


def locked(code: str, kind: str) -> Invitation:
    """The invitation's row, locked so that two uses of one code wait for each other.

    The organisation's is locked before it, as by all that ends its keys: so who waits here sees what was ended.
    """
    rows = Invitation.objects.filter(code_hash=code_hash(code), kind=kind)
    whose = rows.values_list("organisation", flat=True).first()
    if whose is not None:
        Organisation.objects.select_for_update(no_key=True).filter(pk=whose).first()
    related = rows.select_related("organisation", "holder", "made_with")
    invitation = related.select_for_update(of=("self",)).first()
    if invitation is None:
        raise errors.InvitationInvalid
    return invitation


def still_vouched_for(invitation: Invitation, now: datetime) -> bool:
    """Whether who was to answer for the key is still there, and the key that asked for the code is not revoked. One
    that ended by its date asked in its time.

    Both void the code too, but a request that waited meanwhile may ask with an earlier time than that of its end.
    """
    holder, asked = invitation.holder, invitation.made_with
    return (holder is None or holder.is_active) and (asked is None or asked.state_at(now) != "revoked")


def new_code() -> str:
    """Such as `7KQ4-M2XF-9D3P`."""
    return code_of(secrets.token_bytes(CODE_LENGTH))


def code_of(drawn: bytes) -> str:
    """The code that twelve random bytes spell: five bits of each, for the alphabet has 32 letters."""
    text = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn)
    return "-".join(text[i : i + 4] for i in (0, 4, 8))


def code_hash(code: str) -> str:
    """Keyed with the hub's secret: 60 bits alone could be searched for in a stolen database."""
    plain = "".join(char for char in code.upper() if char.isalnum())
    return salted_hmac("hashshare.invitation", plain, algorithm="sha256").hexdigest()
