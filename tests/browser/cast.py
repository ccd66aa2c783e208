"""Who sits in front of the pages in a browser, and what the hub holds for them to see.

`fill` runs in the hub's own process (`manage.py shell`), so it reaches that hub's database and no other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.system.hub import RunningHub

PASSWORD: Final = "a sentence nobody guesses"
FILL: Final = "from tests.browser.cast import fill; fill()"


@dataclass(frozen=True, slots=True)
class Somebody:
    """`organisation` by slug; empty for the operator, who belongs to none. `key` is what the phone shows codes by."""

    name: str
    email: str
    organisation: str
    password: str = PASSWORD

    @property
    def key(self) -> bytes:
        return hashlib.sha1(self.email.encode()).digest()


CAST: Final = {
    "operator": Somebody("Odile Marsh", "odile@north.example", ""),
    "analyst": Somebody("Ana Lindqvist", "ana@aurora.example", "aurora"),
    "engineer": Somebody("Emre Kaya", "emre@cobalt.example", "cobalt"),
    "observer": Somebody("Oriol Brandt", "oriol@delta.example", "delta"),
}
"""By role."""


def fill_hub(hub: RunningHub, *, demonstration: bool = False) -> None:
    """Either rows of every table, just enough, or the made-up history of `manage.py demo`; then the people."""
    if demonstration:
        hub.manage("demo", seconds=600)
    hub.manage("shell", "--no-imports", "-c", FILL)


def fill() -> None:
    """Rows of every table for two hotlines and their members, if there are none, and one person of each role."""
    from django.utils import timezone

    from hashshare.models import Organisation, Person
    from hashshare.services.people import create_person
    from hashshare.services.second_factors import set_authenticator

    if not Organisation.objects.exists():
        _organisations()
    _peers()
    for role, who in CAST.items():
        Person.objects.filter(email=who.email).update(email=f"other.{who.email}", name="")
        of = Organisation.objects.get(slug=who.organisation) if who.organisation else None
        person = create_person(email=who.email, role=role, organisation=of, password=who.password, name=who.name)
        set_authenticator(person=person, key=who.key, step=0, now=timezone.now())


def _organisations() -> None:
    from tests.admin.cast import for_operators, organisation, person, rows

    aurora = organisation("Aurora", "hotline", domain="aurora.example")
    borealis = organisation("Borealis", "hotline", domain="borealis.example", country="CA")
    cobalt = organisation("Cobalt", "member")
    rows(aurora, cobalt, "aurora.example")
    rows(borealis, organisation("Granite", "member", country="CA"), "borealis.example")
    organisation("Delta", "partner", country="FR")
    for_operators(person("operator"), cobalt)


def _peers() -> None:
    """One of each state in which a peer can be."""
    from datetime import timedelta

    from django.utils import timezone

    from federation.models import Peer
    from tests.federation.builders import accepted, agreed, hub, introduced, south

    now, silent = timezone.now(), accepted(hub("west.example", country="IE", title="West"))
    follows, another = south(), accepted(hub("east.example", country="FI", title="East"))
    introduced(hub("centre.example", country="AT", title="Centre"))
    agreed(follows, "out", until=now + timedelta(days=365))
    agreed(follows, "in", "corona.example", "video", evidence="counts")
    Peer.objects.filter(name=follows.name).update(reached_at=now)
    trouble = {"detail": "west.example cannot be reached."}
    Peer.objects.filter(name=silent.name).update(reached_at=now - timedelta(hours=5), trouble=trouble)
    differs = {"fingerprint": hub("east.example").descriptor.fingerprint, "descriptor": another.document()}
    trouble = {"detail": "east.example shows another peer key than the hub that was accepted."}
    Peer.objects.filter(name=another.name).update(differs=differs, differs_at=now, trouble=trouble)
