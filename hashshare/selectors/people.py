"""What is a person's here: sessions, named keys, what those keys made. And what that person may know beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey, Person
from hashshare.wire import errors

VERIFIED: Final = "verified"
"""Under which a session keeps when its person proved both password and second factor, and with which rights."""


ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    Organisation.Kind.HOTLINE: (Person.Role.ANALYST, Person.Role.ENGINEER),
    Organisation.Kind.MEMBER: (Person.Role.ANALYST, Person.Role.ENGINEER),
    Organisation.Kind.PARTNER: (Person.Role.OBSERVER,),
    Organisation.Kind.HUB: (Person.Role.ENGINEER,),
}
"""Which people an organisation has, by its kind. The statistics are for governments, so nobody else has observers."""


def fits(role: str, *, kind: str) -> bool:
    return role in ROLES.get(kind, ())


def people_with_a_role_that_does_not_fit(*, limit: int) -> list[Person]:
    """Accounts from before a rule, or of an organisation that is of another kind by now: they open nothing."""
    fitting = Q(organisation=None)
    for kind, roles in ROLES.items():
        fitting |= Q(organisation__kind=kind, role__in=roles)
    rows = Person.objects.filter(is_active=True).exclude(organisation__state=Organisation.State.SUSPENDED)
    return list(rows.exclude(fitting).select_related("organisation").order_by("email")[:limit])


@dataclass(frozen=True, slots=True)
class Belongings:
    """`sessions` are the keys of the rows. What is ended or run out already is left out.

    `shared` are keys of the person's organisation in nobody's name: whoever leaves may have a copy of them.
    """

    sessions: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[OrganisationKey, ...] = ()
    access_keys: tuple[AccessKey, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    shared: tuple[OrganisationKey, ...] = ()

    @property
    def rows(self) -> tuple[OrganisationKey | AccessKey | Invitation, ...]:
        """What ends, but for sessions, which leave no record."""
        return (*self.keys, *self.access_keys, *self.invitations)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.rows)


def belongings(person: Person, *, now: datetime) -> Belongings:
    """All that ends when the person leaves. An access key is the person's if they made it at the pages, or a key in
    their name signed for it.
    """
    keys = OrganisationKey.objects.not_over(now).order_by("created_at")
    made = AccessKey.objects.filter(made_for(person), revoked_at=None, expires_at__gt=now)
    shared = keys.filter(organisation=person.organisation_id, holder=None) if person.organisation_id else keys.none()
    return Belongings(
        sessions=tuple(sessions_of(person, now=now)),
        keys=tuple(keys.filter(holder=person)),
        access_keys=tuple(made),
        invitations=tuple(codes_of(person).filter(used_at=None, expires_at__gt=now).select_related("organisation")),
        shared=tuple(shared),
    )


def made_for(person: Person) -> Q:
    """Access keys that are the person's."""
    return Q(made_with__holder=person) | Q(made_by=person)


def codes_of(person: Person) -> QuerySet[Invitation]:
    """Invitations, used ones too, that were made with a key of the person's, lead to one, or went to their address."""
    return Invitation.objects.filter(Q(made_with__holder=person) | Q(holder=person) | Q(email=person.email))


def person_by_id(person_id: str) -> Person | None:
    """With their organisation."""
    return Person.objects.select_related("organisation").filter(pk=person_id).first()


def person_by_email(email: str) -> Person:
    """Raises NotFound."""
    person = Person.objects.select_related("organisation").filter(email=email.strip().lower()).first()
    if person is None:
        raise errors.NotFound(f"Nobody has an account with {email}.")
    return person


def count_sessions(person: Person, *, now: datetime) -> int:
    """Those in which the person is still signed in."""
    return sum(1 for _, held in opened_sessions(person, now=now) if not outlived(held.get(VERIFIED), now=now))


def sessions_of(person: Person, *, now: datetime) -> Iterator[str]:
    """Keys of the person's sessions, of those too that have outlived their time and wait to be told so."""
    for key, _ in opened_sessions(person, now=now):
        yield key


def opened_sessions(person: Person, *, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose one is stands inside of it, so all that are kept are opened: hundreds at most, for they last a day."""
    for session in Session.objects.filter(expire_date__gt=now).iterator():
        held = session.get_decoded()
        if str(held.get(SESSION_KEY, "")) == str(person.pk):
            yield session.session_key, held


def outlived(verified: Mapping[str, Any] | None, *, now: datetime) -> str:
    """`idle` or `age` when a session that began and was last seen at these times is over, else nothing. One that never
    was verified is over too.
    """
    if verified is None:
        return "idle"
    if now.timestamp() - verified["seen"] >= settings.HASHSHARE_IDLE_MINUTES * 60:
        return "idle"
    return "age" if now.timestamp() - verified["at"] >= settings.HASHSHARE_SESSION_HOURS * 3600 else ""
