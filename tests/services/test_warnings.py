"""A signature that nears its end is told once a step: to the hotline's people, to operators, and in the log."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from hashshare.models import ExpiryWarning, HashList, Metadata, Organisation, Person, Publisher
from hashshare.services import timestamps
from hashshare.services.people import create_person
from hashshare.services.warnings import warn_expiring
from tests import builders as b

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def images(name: str = "Aurora", domain: str = "aurora.example") -> b.Feed:
    feed = b.feed(b.publisher(name, domain))
    feed.publish(feed.first([b.entry()]))
    return feed


@pytest.fixture
def feed() -> b.Feed:
    feed = images()
    person(feed, "analyst")
    create_person(email="op@north.example", role="operator", password="long enough to be one")
    return feed


def person(feed: b.Feed, role: str) -> Person:
    who = feed.publisher.party.organisation
    return create_person(
        email=f"{role}@{feed.publisher.domain}", role=role, organisation=who, password="long enough to be one"
    )


def sent() -> dict[str, str]:
    """Whom -> what they were sent since the last call."""
    messages = {",".join(message.to): f"{message.subject}\n{message.body}" for message in mail.outbox}
    mail.outbox.clear()
    return messages


def told(feed: b.Feed) -> list[tuple[str, str]]:
    rows = ExpiryWarning.objects.filter(role=feed.list_id).order_by("sent_at", "audience")
    return list(rows.values_list("step", "audience"))


def test_hotline_and_operators_are_mailed_once_at_each_step(feed: b.Feed) -> None:
    start, steps = b.now(), list[str]()
    person(feed, "observer")
    for hour in range(0, 16 * 24, 6):
        warn_expiring(now=start + timedelta(hours=hour))
        for whom, text in sent().items():
            assert whom in {"analyst@aurora.example", "op@north.example"}
            assert "aurora.example/images" in text
            assert "hashshare publisher refresh aurora.example/images" in text
            steps.append(f"{hour // 24} {whom.partition('@')[0]}")
    assert steps == [f"{day} {who}" for day in (7, 10, 13, 14) for who in ("analyst", "op")]
    assert {step for step, _ in told(feed)} == {"half", "three-quarters", "last-day", "expired"}


def test_after_an_outage_the_latest_step_alone_is_told(feed: b.Feed) -> None:
    for days in (13.5, 13.6):
        warn_expiring(now=b.now() + days * DAY)
    assert sorted(told(feed)) == [("last-day", "operators"), ("last-day", "organisation")]
    assert "96 % of its signature's life is over" in sent()["analyst@aurora.example"]


def test_who_signs_again_is_warned_of_the_new_signature_alone(feed: b.Feed) -> None:
    warn_expiring(now=b.now() + 8 * DAY)
    sent()
    assert feed.manifest is not None
    feed.publish(feed.manifest)
    assert warn_expiring(now=b.now() + DAY) == 0
    assert warn_expiring(now=b.now() + 8 * DAY) == 2


def test_targets_and_root_are_told_too(feed: b.Feed) -> None:
    warn_expiring(now=b.now() + 46 * DAY)
    text = sent()["analyst@aurora.example"]
    assert "aurora.example targets: 51 % of its signature's life is over" in text
    assert "hashshare publisher renew aurora.example" in text
    assert "aurora.example root" not in text
    warn_expiring(now=b.now() + 280 * DAY)
    text = sent()["analyst@aurora.example"]
    assert "aurora.example root: 76 %" in text
    assert "aurora.example targets: its signature expired at" in text


def test_the_hub_mends_its_own_signatures_and_tells_operators_of_those_it_cannot(
    feed: b.Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    warn_expiring(now=b.now() + timedelta(hours=20))
    assert not sent()
    assert Metadata.objects.get(role="timestamp").expires_at > b.now() + timedelta(hours=43)

    def broken(publisher_id: Any, now: datetime) -> None:
        raise FileNotFoundError("online.pem")

    monkeypatch.setattr(timestamps, "refresh_publisher", broken)
    for hours in (30, 37, 39):
        warn_expiring(now=b.now() + timedelta(hours=hours))
    mails = sent()
    assert set(mails) == {"op@north.example"}
    assert "aurora.example timestamp: 79 %" in mails["op@north.example"]
    assert "signed by the hub, which failed" in mails["op@north.example"]
    warn_expiring(now=b.now() + timedelta(hours=45))
    assert "The signature of aurora.example timestamp has expired" in sent()["op@north.example"]


def test_a_hosted_list_is_the_hubs_turn_and_its_hotline_is_given_no_command(feed: b.Feed) -> None:
    HashList.objects.filter(pk=feed.row.pk).update(hosted=True)
    ends = Metadata.objects.get(role=feed.list_id).expires_at
    warn_expiring(now=ends - timedelta(hours=3))
    mails = sent()
    hotlines, operators = mails["analyst@aurora.example"], mails["op@north.example"]
    for mail_ in (hotlines, operators):
        assert "hosted: signed by the hub, which failed" in mail_
        assert "publisher refresh" not in mail_
    assert "There is no command for you to run." in hotlines
    assert "run the command on the machine" not in hotlines


def test_what_a_restored_hub_may_not_sign_yet_is_no_failure(feed: b.Feed) -> None:
    Publisher.objects.update(awaited_since=b.now())
    assert warn_expiring(now=b.now() + 2 * DAY) == 0
    assert sent() == {}


def test_who_has_nobody_here_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    feed = images()
    for _ in range(2):
        assert warn_expiring(now=b.now() + 8 * DAY) == 0
    assert caplog.text.count("aurora.example/images: 57 % of its signature's life is over") == 2
    assert caplog.text.count("nobody of organisation has an account here") == 1
    assert caplog.text.count("nobody of operators has an account here") == 1
    assert {row.recipients for row in ExpiryWarning.objects.filter(role=feed.list_id)} == {0}


def test_many_signatures_come_in_one_mail_and_each_hotline_sees_its_own(feed: b.Feed) -> None:
    other = images("Borealis", "borealis.example")
    person(other, "engineer")
    warn_expiring(now=b.now() + 46 * DAY)
    mails = sent()
    assert set(mails) == {"analyst@aurora.example", "engineer@borealis.example", "op@north.example"}
    assert "borealis" not in mails["analyst@aurora.example"]
    assert mails["op@north.example"].count("life is over") + mails["op@north.example"].count("expired at") == 4


def test_closed_lists_and_suspended_hotlines_are_left_alone(feed: b.Feed) -> None:
    HashList.objects.update(state="withdrawn")
    assert warn_expiring(now=b.now() + 8 * DAY) == 0
    HashList.objects.update(state="active")
    Organisation.objects.update(state="suspended")
    assert warn_expiring(now=b.now() + 8 * DAY) == 0


def test_a_mail_that_fails_is_tried_again(feed: b.Feed, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.EMAIL_BACKEND = "tests.services.test_reminders.Broken"
    assert warn_expiring(now=b.now() + 8 * DAY) == 0
    assert "Aurora could not be warned" in caplog.text
    assert not ExpiryWarning.objects.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert warn_expiring(now=b.now() + 8 * DAY) == 2


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_each_mail_once() -> None:
    feed = images()
    person(feed, "analyst")
    moment = b.now() + 8 * DAY
    timestamps.refresh_ending(now=moment)
    start, counts = threading.Barrier(3), list[int]()

    def run() -> None:
        start.wait()
        counts.append(warn_expiring(now=moment))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 1]
    assert list(sent()) == ["analyst@aurora.example"]
