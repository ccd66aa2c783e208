"""The Celery application (`celery -A config worker`). Its timetable, beat's whole schedule, is hashshare/timetable.py.

Messages only wake the worker: what is due stands in the database, and `sweep_jobs` sends again whatever was lost.
"""

from __future__ import annotations

import os
from typing import Any, Final

from celery import Celery
from celery.signals import beat_init, worker_init

from hashshare.timetable import TIMETABLE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

JOBS: Final = frozenset(job.name for job in TIMETABLE)


def route(name: str, *_: Any, **__: Any) -> dict[str, str] | None:
    """The timetable's tasks never wait for verifications: they have a queue of their own. None: the usual one."""
    from django.conf import settings

    if name.removeprefix("hashshare.tasks.") in JOBS:
        return {"queue": settings.HASHSHARE_TIMETABLE_QUEUE}
    return None


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
    beat_schedule={
        job.name: {
            "task": f"hashshare.tasks.{job.name}",
            "schedule": job.every.total_seconds(),
            "options": {"expires": job.every.total_seconds()},
        }
        for job in TIMETABLE
    },
)
app.autodiscover_tasks()
app.set_default()  # for the web server's threads too


@worker_init.connect
@beat_init.connect
def hold_private_database(**_: Any) -> None:
    """Keep the private PostgreSQL, if there is one, up for as long as this process lives, idle or not."""
    from django.conf import settings

    folder = settings.DATABASES["default"].get("PRIVATE_FOLDER")
    if folder:
        from pathlib import Path

        from config import postgres

        postgres.join(Path(folder))
