"""Two addresses for whatever watches the hub: alive (this process answers), ready (it can serve)."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

NOT_READY = 503


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is looked at."""
    return _line("ok")


def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and has every migration; 503 and one word on what is missing otherwise."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return _line("database", status=NOT_READY)
    return _line("migrations", status=NOT_READY) if missing else _line("ready")


def _line(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text + "\n", content_type="text/plain; charset=utf-8", status=status)
