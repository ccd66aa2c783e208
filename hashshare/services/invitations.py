"""Inviting organisations and people, and what happens when the code is used."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from hashshare.models import Invitation, Organisation, OrganisationKey, Person
from hashshare.services.codes import keyed_hash, new_code
from hashshare.services.keys import MAX_KEY_DAYS, add_key
from hashshare.services.organisations import admit_partner, create_organisation
from hashshare.services.people import Chosen, create_person, require_fitting_role, set_chosen
from hashshare.services.publishers import create_publisher
from hashshare.wire import errors

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
    """A code for the page where a person sets a password. Only operators have no organisation.

    Raises UsageError, also for a role that does not fit the kind of organisation, Conflict for a hotline that is at
    home at another hub.
    """
    if role not in Person.Role.values:
        raise errors.UsageError(f"A role is one of {', '.join(Person.Role.values)}.")
    if (role == Person.Role.OPERATOR) != (organisation is None):
        raise errors.UsageError("An operator belongs to no organisation; everyone else to one.")
    if organisation is not None:
        require_fitting_role(role, organisation=organisation)
        require_at_home(organisation)
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


def require_at_home(organisation: Organisation) -> None:
    """Raises Conflict for a hotline whose lists are copied from another hub: its people and machines are there."""
    if organisation.state == Organisation.State.MIRRORED:
        raise errors.Conflict(
            f"{organisation} publishes at another hub, from which its lists are copied: its people are there.",
            next_step="It works here once it has a machine key of its own here: invite one first.",
        )


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
def accept_person_invitation(*, code: str, chosen: Chosen, now: datetime) -> Person:
    """Make the account that the invitation promised, with its password, authenticator and recovery codes, and use the
    code up. An e-mail in the invitation wins over the one typed in. With its first person a partner is in force.

    Raises InvitationInvalid, UsageError (no password or second factor, bad or taken e-mail).
    """
    invitation = locked(code, Invitation.Kind.PERSON)
    if invitation.used_at is not None or invitation.expires_at <= now:
        raise errors.InvitationInvalid
    if invitation.organisation and invitation.organisation.state == Organisation.State.SUSPENDED:
        raise errors.InvitationInvalid
    if invitation.organisation is not None:
        # A link from before roles were matched may promise another.
        require_fitting_role(invitation.role, organisation=invitation.organisation)
    if not (chosen.password_hash and chosen.key and chosen.codes):
        raise errors.UsageError("An account has a password, an authenticator and recovery codes.")
    person = create_person(
        email=invitation.email or chosen.email,
        name=chosen.name,
        role=invitation.role,
        organisation=invitation.organisation,
        password_hash=chosen.password_hash,
    )
    set_chosen(person=person, chosen=chosen, now=now)
    invitation.used_at, invitation.used_by = now, person.email
    invitation.save(update_fields=["used_at", "used_by"])
    if invitation.organisation is not None:
        admit_partner(organisation=invitation.organisation)
    return person


def person_link(*, code: str) -> Invitation | None:
    """The invitation or reset behind a person's link, used and expired ones too; changes nothing."""
    rows = Invitation.objects.select_related("organisation", "holder")
    rows = rows.exclude(organisation__state=Organisation.State.SUSPENDED).exclude(holder__is_active=False)
    kinds = (Invitation.Kind.PERSON, Invitation.Kind.RESET)
    return rows.filter(code_hash=code_hash(code), kind__in=kinds).first()


def open_person_invitation(*, code: str, now: datetime) -> Invitation:
    """The invitation or reset behind a link that is still good. Raises InvitationInvalid."""
    invitation = person_link(code=code)
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
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


def code_hash(code: str) -> str:
    return keyed_hash(code, use="hashshare.invitation")
