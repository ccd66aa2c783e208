"""Queries whose SQL is made once per process: building it anew costs more than running it, which counts for the poll.

The queryset stays the one place where a rule is written; only the values that differ from call to call are filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet


class CompiledQuery:
    """`build` makes the queryset, of values_list kind, from stand-ins that no real value equals.

        by_name = CompiledQuery(lambda marks: Organisation.objects.filter(slug=marks["slug"]).values_list("pk"),
                                slug="\ue000")
        rows = by_name.rows(slug="aurora")

    Stand-ins must be of the type of the values and may appear any number of times.
    """

    def __init__(self, build: Callable[[Mapping[str, Any]], QuerySet[Any, Any]], **stand_ins: Any) -> None:
        self._build = build
        self._stand_ins = stand_ins
        self._compiled: tuple[str, tuple[Any, ...]] | None = None

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """What the queryset would give with these values."""
        sql, parameters = self._compiled or self._compile()
        filled = {stand_in: values[name] for name, stand_in in self._stand_ins.items()}
        return fetched(sql, [filled.get(parameter, parameter) for parameter in parameters])

    def _compile(self) -> tuple[str, tuple[Any, ...]]:
        self._compiled = self._build(self._stand_ins).query.sql_with_params()
        return self._compiled


def fetched(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Rows of a read, which may be asked for twice: so a connection that broke while it was idle needs no `SELECT 1`
    before each request to show itself, and is simply made anew.
    """
    kept = connection.connection is not None and not connection.in_atomic_block
    connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs leave it out
    try:
        return run(sql, parameters)
    except (OperationalError, InterfaceError):
        if not kept:
            raise
        connection.close()
        return run(sql, parameters)


def run(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
