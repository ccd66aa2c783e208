"""Aurora with a published list, Cobalt and Granite that take it, and people of each role, for the member's desk."""

from __future__ import annotations

from dataclasses import dataclass

from django.test import Client

from hashshare.models import Person
from tests import builders as b
from tests.admin.cast import browser, person
from tests.services.statements import deliver, state

DESK, LISTS = "/admin/desk/", "/admin/lists/"
IMAGES = f"{LISTS}aurora.example/images/"


@dataclass(slots=True)
class Desk:
    """`rows` are the entries still in the list."""

    images: b.Feed
    rows: list[b.Row]
    cobalt: b.Party
    granite: b.Party
    engineer: Person
    analyst: Person
    client: Client

    def withdraw(self) -> None:
        """The next version, which takes an entry back."""
        self.images.publish(self.images.next([b.withdraw(self.rows.pop())]))

    def synced(self, version: int) -> None:
        """Cobalt is served that version and acknowledges it."""
        deliver(self.cobalt, self.images, version)
        state(self.cobalt, self.images, version)

    def text(self, path: str = DESK) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, path
        return answer.content.decode()


def desk_of_cobalt() -> Desk:
    images, rows = b.feed(b.publisher()), [b.entry() for _ in range(5)]
    images.publish(images.first(rows))
    cobalt, granite = b.member("Cobalt"), b.member("Granite")
    engineer = person("engineer", cobalt.organisation)
    analyst = person("analyst", cobalt.organisation)
    return Desk(images, rows, cobalt, granite, engineer, analyst, browser(engineer))
