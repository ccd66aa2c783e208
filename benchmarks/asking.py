"""`python -m benchmarks.asking [TIMES]`: ask every page of the hub in HASHSHARE_DATA as each of its people would.

Prints JSON: of each address its role, name, path, status, queries and milliseconds, the sorted times of all requests.
Run in a process of its own, which has the hub's settings and no other hub's.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from typing import Any


def main(times: int, only: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from hashshare.models import Person

    call_command("migrate", interactive=False, verbosity=0)
    if not Person.objects.exists():
        make_operator()
    asked = []
    for role in ("operator", "analyst", "engineer", "observer"):
        person = Person.objects.filter(role=role).order_by("created_at", "email").first()
        if person is not None:
            asked += of_person(person, times, only)
    json.dump(asked, sys.stdout)


def make_operator() -> None:
    """On an empty hub, so that there is somebody to ask."""
    from hashshare.services.people import create_person

    create_person(email="operator@north.example", role="operator", password=secrets.token_urlsafe())


def of_person(person: Any, times: int, only: str) -> list[dict[str, Any]]:
    from benchmarks.walk import Address, browser, sign_out, walk

    client, found = browser(person), list[dict[str, Any]]()

    def ask(at: Address) -> str:
        asked, text = measured(client, at.path, times if only in at.name else 0)
        if only in at.name:
            found.append({"role": person.role, "name": at.name, "path": at.path, **asked})
        return text

    walk(person, ask)
    sign_out(client)
    return found


def measured(client: Any, path: str, times: int) -> tuple[dict[str, Any], str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.walk import number_of, text_of

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
        text = text_of(answer)
    slow = max(queries.captured_queries, key=lambda it: float(it["time"]), default={"sql": "", "time": "0"})
    took = sorted(timed(client, path) for _ in range(times))
    return {"status": answer.status_code, "queries": number_of(queries), "ms": took, "slowest": slow}, text


def timed(client: Any, path: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    answer = client.get(path)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, sys.argv[2] if len(sys.argv) > 2 else "")
