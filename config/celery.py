"""The Celery application (`celery -A config worker`). Its timetable, beat's whole schedule, is hashshare/timetable.py.

Messages only wake the worker: what is due stands in the database, and `sweep_jobs` sends again whatever was lost.
"""

from __future__ import annotations

import os
from typing import Any, Final

from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

from federation.timetable import TIMETABLE as BETWEEN_HUBS
from hashshare.timetable import TIMETABLE as HERE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
"""Django's checks load the pages and the API, which workers and beat never use: 20 MB and 0.25 s of each."""

JOBS: Final = (*HERE, *BETWEEN_HUBS)
TIMETABLE: Final = {job.name: job.every.total_seconds() for job in JOBS}
"""Task -> seconds between two runs, unless HASHSHARE_TIMETABLE says otherwise."""


MODULES: Final = {job.name: job.module for job in JOBS}
TASKS: Final = {f"{module}.{name}" for name, module in MODULES.items()}


def route(name: str, *_: Any, **__: Any) -> dict[str, str] | None:
    """The timetable's tasks never wait for verifications: they have a queue of their own. None: the usual one."""
    from django.conf import settings

    if name in TASKS:
        return {"queue": settings.HASHSHARE_TIMETABLE_QUEUE}
    return None


def beat_schedule(timetable: dict[str, float]) -> dict[str, dict[str, Any]]:
    """A timetable as beat reads it."""
    return {
        name: {"task": f"{MODULES[name]}.{name}", "schedule": seconds, "options": {"expires": seconds}}
        for name, seconds in timetable.items()
    }


app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_routes=(route,),
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    enable_utc=True,
)
app.autodiscover_tasks()
app.set_default()  # for the web server's threads too


@worker_init.connect
@beat_init.connect
def hold_private_database(**_: Any) -> None:
    """Keep the private PostgreSQL, if there is one, up for as long as this process lives, idle or not.

    Nothing starts over a hub that a restore has not finished.
    """
    from django.conf import settings

    from config.unfinished import refuse_unfinished

    try:
        refuse_unfinished(settings.HASHSHARE_DATA)
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error  # Celery goes on after any other exception
    folder = settings.DATABASES["default"].get("PRIVATE_FOLDER")
    if folder:
        from pathlib import Path

        from config import postgres

        postgres.join(Path(folder))
