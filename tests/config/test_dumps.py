"""pg_dump and pg_restore for a database server: the right programs, and no password where others could read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from config import postgres
from config.postgres import dumps, programs

SERVER: dict[str, Any] = {
    "NAME": "hub",
    "USER": "hashshare",
    "PASSWORD": "kept to ourselves",
    "HOST": "db.example",
    "PORT": "5433",
    "OPTIONS": {"sslmode": "verify-full", "connect_timeout": 5},
}


def test_a_password_goes_through_the_environment() -> None:
    place = dumps.place_of(SERVER, server_major=14)
    assert "kept to ourselves" not in place.conninfo
    assert place.environment["PGPASSWORD"] == "kept to ourselves"
    for part in ("dbname=hub", "host=db.example", "port=5433", "sslmode=verify-full", "connect_timeout=5"):
        assert part in place.conninfo


def test_programs_are_the_nearest_that_are_not_older_than_the_server() -> None:
    majors = sorted({found.major for found in programs.all_programs() if found.can_dump})
    for major in majors:
        assert programs.programs_at_least(major).major == major
    with pytest.raises(postgres.PrivatePostgresFailed, match="Install PostgreSQL 99"):
        programs.programs_at_least(99)


@pytest.mark.django_db(transaction=True)
def test_it_says_what_the_programs_said(tmp_path: Path) -> None:
    connection.ensure_connection()
    place = dumps.place_of(connection.settings_dict, server_major=1)
    with pytest.raises(postgres.PrivatePostgresFailed, match=r"pg_dump failed: .*snapshot"):
        dumps.dump(place, tmp_path / "dump", snapshot="00000000-00000000-1")
    with pytest.raises(postgres.PrivatePostgresFailed, match="pg_restore failed: "):
        dumps.restore(place, [b"not a dump"])
