"""The page *Timetable*: an operator sees at a glance whether what runs by itself does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from config.celery import JOBS as TIMETABLE
from hashshare.models import JobRun, Publisher, Restoration
from tests.admin.cast import browser
from tests.admin.conftest import Hub
from tests.admin.test_propagation_page import words

PAGE = "/admin/timetable/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ran(hub: Hub) -> Hub:
    """Every job, a moment ago."""
    now = timezone.now()
    JobRun.objects.bulk_create(JobRun(name=job.name, started_at=now, finished_at=now) for job in TIMETABLE)
    return hub


def test_it_shows_every_job_on_time(ran: Hub) -> None:
    text = words(browser(ran.operator), PAGE)
    assert f"{len(TIMETABLE)} jobs: {len(TIMETABLE)} on time." in text
    for job in TIMETABLE:
        assert job.name in text
        assert job.does in text


def test_a_late_and_a_failing_job_are_marked_and_said_on_the_overview(ran: Hub) -> None:
    now = timezone.now()
    JobRun.objects.filter(name="seal_logs").update(finished_at=now - timedelta(hours=2))
    JobRun.objects.filter(name="prune_objects").update(
        failed_at=now + timedelta(seconds=1), error="StorageUnavailable: The store is <away>"
    )
    text = words(browser(ran.operator), PAGE)
    assert f"{len(TIMETABLE)} jobs: {len(TIMETABLE) - 2} on time, 1 late, 1 failed." in text
    assert "StorageUnavailable: The store is <away>" in text
    assert "2 h 5 min" in text
    overview = words(browser(ran.operator), "/admin/")
    assert "Jobs of the timetable have not run for too long: seal_logs." in overview
    assert "Jobs of the timetable failed at the last run: prune_objects." in overview
    assert "Jobs of the timetable" not in words(browser(ran.analyst), "/admin/")


def test_it_says_so_when_nothing_ever_ran(hub: Hub) -> None:
    assert "No job has run yet." in words(browser(hub.operator), PAGE)
    assert "Jobs of the timetable" not in words(browser(hub.operator), "/admin/")


@pytest.mark.parametrize("role", ["analyst", "engineer", "observer"])
def test_it_is_the_operators_alone(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/", follow=True).content.decode()


def test_a_restored_hub_says_why_nothing_runs(ran: Hub) -> None:
    now = timezone.now()
    restoration = Restoration.objects.create(backup="1", made_at=now, restored_at=now)
    client = browser(ran.operator)
    assert "No job runs until manage.py recover has been run" in words(client, PAGE)
    assert "nothing is changed, signed or done until manage.py recover." in words(client, "/admin/")
    assert "restored" not in words(browser(ran.analyst), "/admin/")
    Restoration.objects.filter(pk=restoration.pk).update(recovered_at=now, jump=1)
    Publisher.objects.filter(domain="aurora.example").update(awaited_since=now)
    assert "waits for aurora.example to send what it may lack." in words(client, "/admin/")
    assert "restored" not in words(client, PAGE)
