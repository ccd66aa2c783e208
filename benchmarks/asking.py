"""`python -m benchmarks.asking`: ask pages of the hub in HASHSHARE_DATA as each of its people would.

Reads orders from standard input and answers each with a line, all JSON: `{"do": "sizes"}` rows of each table,
`{"do": "walk"}` every address with role, name, path, status and queries, `{"do": "ask", "role": ..., "path": ...}`
milliseconds. A process of its own, since it has the hub's settings and no other hub's; ends with its input.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any, Final

ROLES: Final = ("operator", "analyst", "engineer", "observer")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from hashshare.models import Person

    call_command("migrate", interactive=False, verbosity=0)
    if not Person.objects.exists():
        make_operator()
    people = Askers()
    orders: dict[str, Callable[..., Any]] = {"sizes": sizes, "walk": people.walk, "ask": people.ask}
    try:
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(orders[order.pop("do")](**order)), flush=True)
    finally:
        people.leave()


def make_operator() -> None:
    """On an empty hub, so that there is somebody to ask."""
    from hashshare.services.people import create_person

    create_person(email="operator@north.example", role="operator", password=secrets.token_urlsafe())


def sizes() -> dict[str, int]:
    from hashshare.models import Delivery, HashList, Organisation, Release

    counted = {"organisations": Organisation, "lists": HashList, "releases": Release, "deliveries": Delivery}
    return {name: model._default_manager.count() for name, model in counted.items()}


class Askers:
    """A signed-in person of each role that the hub has."""

    def __init__(self) -> None:
        from benchmarks.walk import browser
        from hashshare.models import Person

        self._people: dict[str, Any] = {}
        for role in ROLES:
            person = Person.objects.filter(role=role).order_by("created_at", "email").first()
            if person is not None:
                self._people[role] = person
        self._clients = {role: browser(person) for role, person in self._people.items()}

    def walk(self) -> list[dict[str, Any]]:
        """Every address that each may open, once, with what it asks of the database."""
        from benchmarks.walk import Address, walk

        found = list[dict[str, Any]]()
        for role, person in self._people.items():

            def ask(at: Address, role: str = role) -> str:
                counted, text = self._counted(role, at.path)
                found.append({"role": role, "name": at.name, "path": at.path, **counted})
                return text

            walk(person, ask)
        return found

    def _counted(self, role: str, path: str) -> tuple[dict[str, Any], str]:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from benchmarks.walk import number_of, text_of

        with CaptureQueriesContext(connection) as queries:
            answer = self._clients[role].get(path)
            text = text_of(answer)
        return {"status": answer.status_code, "queries": number_of(queries)}, text

    def ask(self, role: str, path: str) -> float:
        """Milliseconds until the last byte."""
        client: Any = self._clients[role]
        began = time.perf_counter()
        answer = client.get(path)
        if answer.streaming:
            b"".join(answer.streaming_content)
        return (time.perf_counter() - began) * 1000

    def leave(self) -> None:
        from benchmarks.walk import sign_out

        for client in self._clients.values():
            sign_out(client)


if __name__ == "__main__":
    main()
