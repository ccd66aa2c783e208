"""Whoever is overdue is told once of each withdrawal, and not more than once a day."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from hashshare.models import Person, Reminder
from hashshare.services.people import create_person
from hashshare.services.reminders import remind_overdue
from tests import builders as b
from tests.services.statements import state
from tests.services.test_propagation import HOUR, decide, images, members, one, withdraw

__all__ = ["images"]

pytestmark = pytest.mark.django_db
LATE = 7 * HOUR


def person(who: b.Party, role: str = "engineer") -> Person:
    email = f"{role}@{who.organisation.slug}.example"
    return create_person(email=email, role=role, organisation=who.organisation, password="long enough to be one")


def sent() -> list[tuple[list[str], str]]:
    """Who got what since the last call."""
    messages = [(message.to, f"{message.subject}\n{message.body}") for message in mail.outbox]
    mail.outbox.clear()
    return messages


def test_it_mails_the_overdue_once(images: b.Feed) -> None:
    cobalt, granite = members(images, "Cobalt", "Granite")
    for role in ("engineer", "analyst", "observer"):
        person(cobalt, role)
    person(granite)
    withdraw(images, 2)
    state(granite, images, 2)
    assert remind_overdue(now=b.now()) == 0
    assert remind_overdue(now=b.now() + LATE) == 1
    ((people, text),) = sent()
    assert people == ["analyst@cobalt.example", "engineer@cobalt.example"]
    for part in ("aurora.example/images", "Cobalt", "version 2", "2 entries withdrawn", "within 6 hours"):
        assert part in text, part
    for hours in (1, 25, 100):
        assert remind_overdue(now=b.now() + LATE + hours * HOUR) == 0
    assert not sent()
    (kept,) = Reminder.objects.all()
    assert (kept.release.version, kept.organisation, kept.recipients) == (2, cobalt.organisation, 2)


def test_withdrawals_that_follow_are_told_together_the_next_day(images: b.Feed) -> None:
    (cobalt,) = members(images, "Cobalt")
    person(cobalt)
    withdraw(images)
    remind_overdue(now=b.now() + LATE)
    sent()
    withdraw(images)
    withdraw(images)
    assert remind_overdue(now=b.now() + LATE + HOUR) == 0
    assert remind_overdue(now=b.now() + LATE + 25 * HOUR) == 1
    ((_, text),) = sent()
    assert "version 2" not in text
    assert "version 3" in text
    assert "version 4" in text
    assert Reminder.objects.count() == 3


def test_whoever_has_left_or_catches_up_is_not_told(images: b.Feed) -> None:
    cobalt, granite = members(images, "Cobalt", "Granite")
    person(cobalt)
    person(granite)
    withdraw(images)
    withdraw(images)
    decide(images, cobalt, "revoke")
    state(granite, images, 3)
    assert remind_overdue(now=b.now() + LATE) == 0
    assert not sent()


def test_whoever_left_and_came_back_is_told_of_what_came_before(images: b.Feed) -> None:
    """It was entitled then, and is called overdue: so it has to hear of it too."""
    (cobalt,) = members(images, "Cobalt")
    person(cobalt)
    withdraw(images)
    decide(images, cobalt, "revoke")
    b.subscribed(cobalt, images)
    assert remind_overdue(now=b.now() + LATE) == 1
    ((_, text),) = sent()
    assert "version 2" in text


def test_who_has_nobody_here_is_noted(images: b.Feed, caplog: pytest.LogCaptureFixture) -> None:
    members(images, "Cobalt")
    withdraw(images)
    for _ in range(2):
        assert remind_overdue(now=b.now() + LATE) == 0
    assert caplog.text.count("Cobalt has nobody here to be reminded") == 1
    assert [kept.recipients for kept in Reminder.objects.all()] == [0]
    assert [member.reminded_at for member in one(images, 2).members] == [None]  # the hotline has to call


class Broken(EmailBackend):
    def send_messages(self, messages: Sequence[Any]) -> int:
        raise OSError("the mail server is away")


def test_a_mail_that_fails_is_tried_again(images: b.Feed, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    cobalt, granite = members(images, "Cobalt", "Granite")
    person(cobalt)
    person(granite)
    withdraw(images)
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    assert remind_overdue(now=b.now() + LATE) == 0
    assert "Cobalt could not be reminded" in caplog.text
    assert "Granite could not be reminded" in caplog.text
    assert not Reminder.objects.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert remind_overdue(now=b.now() + LATE) == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_mail() -> None:
    feed = b.feed(b.publisher(), deadline_hours=6)
    feed.rows = rows = [b.entry(), b.entry()]  # type: ignore[attr-defined]
    feed.publish(feed.first(rows))
    (cobalt,) = members(feed, "Cobalt")
    person(cobalt)
    withdraw(feed)
    moment: datetime = b.now() + timedelta(hours=7)
    start, told = threading.Barrier(3), list[int]()

    def run() -> None:
        start.wait()
        told.append(remind_overdue(now=moment))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [0, 0, 1]
    assert len(sent()) == 1
