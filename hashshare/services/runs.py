"""Recording that the timetable's jobs ran, and how each run ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from hashshare.models import JobRun

logger = logging.getLogger(__name__)

SHOWN: Final = 500
"""Characters of an error that are kept; the whole of it is in the worker's log."""

_failures: ContextVar[list[str] | None] = ContextVar("failures", default=None)
"""What went wrong in parts of the run that this thread is at."""


@contextmanager
def recorded(name: str) -> Iterator[None]:
    """Around one run of a job: started, then finished or failed, in its row. What is raised goes on to Celery's log."""
    note(name, "started_at")
    failures: list[str] = []
    token = _failures.set(failures)
    try:
        yield
    except Exception as error:
        note_failure(name, summary(error))
        raise
    finally:
        _failures.reset(token)
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        note_failure(name, failures[0] + more)
    else:
        note(name, "finished_at")


def spared(message: str, *args: object) -> Spared:
    """Around one part of a job that must not keep the others from being done: what it raises is logged with `message`,
    and the run counts as failed all the same.
    """
    return Spared(message, args)


@dataclass(frozen=True, slots=True)
class Spared:
    """A context manager that swallows exceptions, but for those that end the process."""

    message: str
    args: tuple[object, ...]

    def __enter__(self) -> None:
        """Nothing is done before the work itself."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        logger.error(self.message, *self.args, exc_info=error)
        failures = _failures.get()
        if failures is not None:
            failures.append(f"{self.message % self.args} {summary(error)}")
        return True


def note(name: str, column: str, **more: str) -> None:
    """Write the moment into this column, and what more there is to say; the row is made if it is not there."""
    now = timezone.now()
    values: dict[str, Any] = {"started_at": now, column: now, **more}
    JobRun.objects.bulk_create(
        [JobRun(name=name, **values)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=[column, *more],
    )


def note_failure(name: str, error: str) -> None:
    """Whatever keeps it from being noted, it must not hide why the job failed."""
    try:
        note(name, "failed_at", error=error[:SHOWN])
    except Exception:
        logger.exception("It could not be noted that %s failed.", name)


def summary(error: Exception) -> str:
    """Its kind and the first line of what it says."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
