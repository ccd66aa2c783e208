"""Organisations of a demonstration, their people and their keys."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from hashshare.demonstration.cast import (
    COUNTRIES,
    HOTLINES,
    MEMBERS,
    PARTNERS,
    PEOPLE,
    SECTORS,
    numbered,
    slug_of,
)
from hashshare.demonstration.sizes import Size
from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey, Person
from hashshare.services.people import create_person
from hashshare.wire import keys


@dataclass(frozen=True, slots=True)
class Parties:
    hotlines: list[Organisation]
    members: list[Organisation]
    partners: list[Organisation]
    people: dict[str, Person]
    """By e-mail address."""
    keys: dict[str, OrganisationKey]
    """The first key of each organisation, by slug."""


def make_parties(*, size: Size, dice: random.Random, password: str, now: datetime) -> Parties:
    begun = now - timedelta(weeks=size.weeks)
    hotlines = _organisations("hotline", numbered(HOTLINES, size.hotlines), dice, begun, now)
    members = _organisations("member", numbered(MEMBERS, size.members), dice, begun, now)
    partners = _organisations("partner", numbered(PARTNERS, size.partners), dice, begun, now)
    everybody = {row.slug: row for row in [*hotlines, *members, *partners]}
    people = {
        one.email: create_person(
            email=one.email,
            name=one.name,
            role=one.role,
            organisation=everybody[one.organisation] if one.organisation else None,
            password=password,
            second_factor_due=True,
        )
        for one in PEOPLE
    }
    machines = _keys([*hotlines, *members], people, dice, now)
    _access_keys(members, machines, dice, now)
    _invitations(members, dice, now)
    return Parties(hotlines, members, partners, people, machines)


def _organisations(
    kind: str, names: list[str], dice: random.Random, begun: datetime, now: datetime
) -> list[Organisation]:
    """They joined over the first half of the history; the last member is only invited, the one before suspended."""
    half = (now - begun) / 2
    rows = []
    for number, name in enumerate(names):
        named = kind != "member" or dice.random() < 0.6
        joined = begun + half * (number / max(1, len(names)))
        rows.append(
            Organisation(
                slug=slug_of(name),
                name=name,
                kind=kind,
                country=COUNTRIES[number % 6] if kind == "hotline" else dice.choice(COUNTRIES),
                sector=dice.choice(SECTORS) if kind == "member" else "",
                state=Organisation.State.ACTIVE,
                named_since=joined if named else None,
                created_at=joined,
            )
        )
    if kind == "member" and len(rows) > 2:
        rows[-1].state, rows[-1].created_at = Organisation.State.INVITED, now - timedelta(days=3)
        rows[-2].state = Organisation.State.SUSPENDED
    return Organisation.objects.bulk_create(rows)


def _keys(
    rows: list[Organisation], people: dict[str, Person], dice: random.Random, now: datetime
) -> dict[str, OrganisationKey]:
    """One for each that has enrolled; of every fourth a window that ends within the year."""
    made = {}
    for number, row in enumerate(rows):
        if row.state == Organisation.State.INVITED:
            continue
        key = keys.generate()
        made[row.slug] = OrganisationKey(
            organisation=row,
            fingerprint=keys.fingerprint_of(key),
            public_key=keys.public_bytes(key),
            name=f"sync.{row.slug}.example" if row.kind == "member" else f"publish.{row.slug}.example",
            holder=people.get("cleo@cobalt.example") if row.slug == "cobalt" else None,
            created_at=row.created_at + timedelta(days=1),
            not_after=now + timedelta(days=dice.randrange(4, 330)) if number % 4 == 0 else None,
            last_seen_at=now - timedelta(minutes=dice.randrange(3, 900)),
            clock_skew_seconds=dice.choice([0, 0, 0, 1, -1, 2, -3, 41]),
        )
    OrganisationKey.objects.bulk_create(made.values())
    return made


def _access_keys(
    members: list[Organisation], machines: dict[str, OrganisationKey], dice: random.Random, now: datetime
) -> None:
    AccessKey.objects.bulk_create(
        AccessKey(
            organisation=row,
            name="third-party scanner",
            prefix=f"{dice.getrandbits(32):08x}",
            # Nothing opens with it: the hash is of no secret that anybody has.
            secret_hash=f"{dice.getrandbits(256):064x}",
            made_with=machines[row.slug],
            created_at=now - timedelta(days=dice.randrange(20, 200)),
            expires_at=now + timedelta(days=dice.randrange(5, 160)),
            last_seen_at=now - timedelta(hours=dice.randrange(1, 90)),
        )
        for row in members[::3]
        if row.slug in machines
    )


def _invitations(members: list[Organisation], dice: random.Random, now: datetime) -> None:
    """Codes that nobody knows."""
    Invitation.objects.bulk_create(
        Invitation(
            kind=Invitation.Kind.ORGANISATION,
            organisation=row,
            code_hash=f"{dice.getrandbits(256):064x}",
            created_at=now - timedelta(days=3),
            expires_at=now + timedelta(days=11),
        )
        for row in members
        if row.state == Organisation.State.INVITED
    )
