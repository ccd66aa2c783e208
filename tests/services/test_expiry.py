"""What has an end date is ended once, and the record says so."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection

from hashshare import tasks
from hashshare.models import AccessKey, Invitation, JobRun, OrganisationKey, Subscription
from hashshare.services.access_keys import create_access_key
from hashshare.services.expiry import expire_due
from hashshare.services.invitations import enrol, invite_key, invite_organisation
from hashshare.timetable import TIMETABLE
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db


def test_it_ends_nothing_before_its_time() -> None:
    cobalt = b.member()
    create_access_key(caller=cobalt.caller, name="curl", days=30, now=b.now())
    assert set(expire_due(now=b.now() + timedelta(days=29)).values()) == {0}


def test_it_ends_machine_keys() -> None:
    cobalt, end = b.member(), b.now() + timedelta(days=365)
    OrganisationKey.objects.update(not_after=end)
    assert expire_due(now=end)["keys"] == 1
    assert OrganisationKey.objects.get(organisation=cobalt.organisation).revoked_at == end
    assert expire_due(now=end + timedelta(hours=1))["keys"] == 0


def test_a_code_outlives_the_date_of_the_key_that_asked_for_it_and_not_its_revocation() -> None:
    """Whether or not the job has noted the end."""
    cobalt, end = b.member(), b.now() + timedelta(hours=1)
    key = OrganisationKey.objects.get(organisation=cobalt.organisation)
    codes = [invite_key(organisation=cobalt.organisation, now=b.now(), made_with=key)[1] for _ in range(3)]
    OrganisationKey.objects.update(not_after=end)
    for code in codes[:2]:
        assert enrol(code=code, public_key=secrets.token_bytes(32), key_name="", now=end).created
        expire_due(now=end)
    OrganisationKey.objects.filter(pk=key.pk).update(revoked_at=end - timedelta(minutes=1))
    with pytest.raises(errors.InvitationInvalid):
        enrol(code=codes[2], public_key=secrets.token_bytes(32), key_name="", now=end)


def test_it_ends_access_keys() -> None:
    create_access_key(caller=b.member().caller, name="curl", days=30, now=b.now())
    later = b.now() + timedelta(days=30)
    assert expire_due(now=later)["access_keys"] == 1
    ended = AccessKey.objects.get()
    assert ended.revoked_at == ended.expires_at


def test_it_ends_subscriptions() -> None:
    feed, cobalt = b.feed(b.publisher()), b.member()
    b.subscribed(cobalt, feed)
    later = b.now() + timedelta(days=1)
    Subscription.objects.update(ends_at=later)
    assert expire_due(now=later)["subscriptions"] == 1
    ended = Subscription.objects.get()
    assert (ended.state, ended.closed_at) == ("ended", later)


def test_it_removes_invitations_long_after_they_ended() -> None:
    invite_organisation(kind="member", name="Ember", country="NL", valid_for=timedelta(days=14), now=b.now())
    assert expire_due(now=b.now() + timedelta(days=15))["invitations"] == 0
    assert Invitation.objects.filter(used_at=None).count() == 1
    assert expire_due(now=b.now() + timedelta(days=14 + 91))["invitations"] == 1


def test_it_forgets_sessions_that_ran_out() -> None:
    for hours in (1, 13):
        store = SessionStore()
        store["who"] = hours
        store.set_expiry(b.now() + timedelta(hours=hours))
        store.create()
    assert expire_due(now=b.now() + timedelta(hours=12))["sessions"] == 1
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_every_job_catches_up_after_days_and_bears_being_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine days after everything was due, by three workers at the same moment, then once more: nothing twice."""
    feed, cobalt = b.feed(b.publisher()), b.member()
    feed.publish(feed.first([b.entry(), b.entry()]))
    b.subscribed(cobalt, feed)
    create_access_key(caller=cobalt.caller, name="curl", days=1, now=b.now())
    end = b.now() + timedelta(days=1)
    Subscription.objects.update(ends_at=end)
    OrganisationKey.objects.filter(organisation=cobalt.organisation).update(not_after=end)
    later = b.now() + timedelta(days=9)
    monkeypatch.setattr(tasks.timezone, "now", lambda: later)  # type: ignore[attr-defined]
    for job in TIMETABLE:
        run_at_once(getattr(tasks, job.name), 3)
        seen = everything()
        getattr(tasks, job.name)()
        assert moving(seen, everything()) <= MAY_MOVE.get(job.name, set()), job.name
        run = JobRun.objects.get(name=job.name)
        assert (run.failed_at, run.error) == (None, ""), job.name


MAY_MOVE: dict[str, set[str]] = {"refresh_timestamps": {"Metadata"}, "publish_statistics": {"PeriodFigure"}}
"""Tables that a run changes though nothing is due: a timestamp is signed every hour, and the figures of the hub's first
day, which is all that there is here, are made anew while it lasts."""


def everything() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for the record of runs and what is sent anew by design."""
    models = [model for model in apps.get_app_config("hashshare").get_models() if model is not JobRun]
    return {model.__name__: sorted(model.objects.values_list(), key=repr) for model in models}  # type: ignore[attr-defined]


def moving(before: dict[str, list[tuple[object, ...]]], after: dict[str, list[tuple[object, ...]]]) -> set[str]:
    return {name for name, rows in before.items() if rows != after[name]}


def run_at_once(work: Callable[[], object], workers: int) -> None:
    start, faults = threading.Barrier(workers), list[Exception]()

    def run() -> None:
        start.wait()
        try:
            work()
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
