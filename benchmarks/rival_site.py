"""The rivals that are Django sites: a view that does nothing, and pages of entries as JSON by Django REST framework.

`gunicorn benchmarks.rival_site:application`. The middleware is what `startproject` gives; RIVAL_DATABASE is a libpq
connection string of a database with the table that `load` makes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict

COLUMNS = ("sha256", "md5", "sha1", "pdq", "category", "age_band", "media", "first_seen")
PAGE = 1000


def _database(text: str) -> dict[str, Any]:
    parts = conninfo_to_dict(text)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", ""),
        "USER": parts.get("user", ""),
        "HOST": parts.get("host", ""),
        "CONN_MAX_AGE": 60,
    }


def load(csv: Path, dsn: str) -> None:
    """Make the table, with an index per hash, and fill it from a hotline's CSV."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS entry")
        columns = ", ".join(f"{name} {'date' if name == 'first_seen' else 'text'}" for name in COLUMNS)
        connection.execute(f"CREATE TABLE entry (id bigserial PRIMARY KEY, {columns})")
        names = ", ".join(COLUMNS)
        with (
            csv.open("rb") as source,
            connection.cursor().copy(f"COPY entry ({names}) FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while chunk := source.read(1 << 20):
                copy.write(chunk)
        for name in COLUMNS[:4]:
            connection.execute(f"CREATE INDEX ON entry ({name})")
        connection.execute("VACUUM ANALYZE entry")


def make_application() -> Any:
    """The WSGI application; configures Django, so it is for a process of its own."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="measured-and-thrown-away",
        ROOT_URLCONF="benchmarks.rival_urls",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        DATABASES={"default": _database(os.environ.get("RIVAL_DATABASE", ""))},
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
        USE_TZ=True,
    )
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def __getattr__(name: str) -> Any:
    """`application`, made when gunicorn asks for it, so that importing `load` configures nothing."""
    if name == "application":
        return make_application()
    raise AttributeError(name)
