"""Other people's servers for tests: a database and a queue of one's own on those given by environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import kombu
import psycopg


@contextmanager
def own_database() -> Iterator[str]:
    """The address of a new, empty database; dropped at the end."""
    server = os.environ["HASHSHARE_TEST_DATABASE_URL"]
    name = f"hashshare_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def own_queue(broker: str) -> Iterator[str]:
    """The name of a queue that no other hub uses; it and its timetable's are deleted at the end."""
    name = f"hashshare-test-{secrets.token_hex(6)}"
    yield name
    with kombu.Connection(broker) as connection:
        for made in (name, f"{name}-timetable"):
            kombu.Queue(made, kombu.Exchange(made)).bind(connection.default_channel).delete()
            kombu.Exchange(made).bind(connection.default_channel).delete()
