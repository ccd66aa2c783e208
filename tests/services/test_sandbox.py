"""The sandbox is granted to whoever asks, counted nowhere, and kept by the machine that has its keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hashshare.models import DailyStatistic, Delivery, Metadata, Publisher, Reminder, Subscription
from hashshare.selectors.sandbox import sandbox_list, sandbox_publisher, targets_are_due
from hashshare.services import sandbox
from hashshare.services.counting import count_entries
from hashshare.services.organisations import suspend_organisation
from hashshare.services.reminders import remind_overdue
from hashshare.services.sandbox import domain_of, make_sandbox, publish_sandbox
from hashshare.services.statistics.daily import roll_up_statistics
from hashshare.services.statistics.levels import levels
from hashshare.services.subscriptions import request_subscription
from hashshare.wire import errors
from tests import builders as b
from tests.services.statements import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(db: None) -> b.Feed:
    """A published list of a publisher that is marked as the sandbox."""
    feed = b.feed(b.publisher("Sandbox of North", "sandbox.north"), "sandbox")
    Publisher.objects.update(sandbox=True)
    feed.publish(feed.first([b.entry() for _ in range(4)]))
    return feed


def asked(who: b.Party, feed: b.Feed) -> Subscription:
    row, _ = request_subscription(
        caller=who.caller,
        domain=feed.publisher.domain,
        slug="sandbox",
        terms_digest=feed.row.terms_digest,
        now=b.now(),
    )
    return row


def test_it_is_granted_at_once_and_without_an_end(feed: b.Feed) -> None:
    row = asked(b.member(), feed)
    assert (row.state, row.ends_at) == ("active", None)
    assert row.entitled_at is not None
    with pytest.raises(errors.NotAllowed):
        asked(b.partner(), feed)


def test_other_lists_are_still_asked_for(feed: b.Feed) -> None:
    other = b.feed(b.publisher(), "sandbox")
    assert asked(b.member(), other).state == "requested"


def test_it_is_in_no_figure_of_the_coalition(feed: b.Feed) -> None:
    cobalt = b.member()
    asked(cobalt, feed)
    deliver(cobalt, feed)
    now = timezone.now()
    count_entries(now=now)
    found = {(place.metric, place.dimension): count.value for place, count in levels(now)}
    assert found["organisations", ""] == found["members", ""] == 1  # Cobalt
    assert (found["hotlines", ""], found["lists", ""], found["entries", ""]) == (0, 0, 0)
    assert found["subscriptions", ""] == 0
    roll_up_statistics(day=now.date(), now=now)

    counted = dict(DailyStatistic.objects.filter(dimension="").values_list("metric", "value"))
    assert (counted["releases"], counted["upserts"], counted["deliveries"]) == (0, 0, 0)
    assert Delivery.objects.count() == 1
    assert not DailyStatistic.objects.filter(dimension__contains="sandbox").exists()


def test_nobody_is_mailed_about_its_withdrawals(feed: b.Feed) -> None:
    cobalt, rows = b.member(), [b.entry()]
    asked(cobalt, feed)
    feed.publish(feed.next([b.upsert(rows[0])]))
    feed.publish(feed.next([b.withdraw(rows[0])]))
    assert remind_overdue(now=b.now() + timedelta(days=2)) == 0
    assert not Reminder.objects.exists()


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("hub.example", "sandbox.hub.example"),
        ("North Hub", "sandbox.north-hub"),
        ("127.0.0.1", "sandbox.127.0.0.1"),
        ("Ötzi & Co.", "sandbox.tzi-co"),
        ("北", "sandbox.127.0.0.1"),
    ],
)
def test_it_is_named_after_the_hub(name: str, domain: str) -> None:
    assert domain_of(name) == domain
    assert domain_of("hub.example", number=2) == "sandbox-2.hub.example"


def test_a_machine_without_its_keys_leaves_it_alone(feed: b.Feed, settings: Settings, tmp_path: Any) -> None:
    settings.HASHSHARE_DATA = tmp_path
    assert not publish_sandbox(now=b.now() + timedelta(days=2))
    with pytest.raises(errors.HashshareError, match="are not on this machine") as refused:
        make_sandbox(now=b.now())
    assert "--anew" in refused.value.next_step


def test_the_nightly_release_comes_once_a_day_and_renews_what_is_due(
    feed: b.Feed, settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HASHSHARE_DATA = tmp_path
    sandbox.folder().mkdir()
    (sandbox.folder() / "config.json").touch()
    ran: list[list[str]] = []
    monkeypatch.setattr(sandbox, "run_commands", lambda commands: ran.extend(commands))
    assert not publish_sandbox(now=b.now() + timedelta(hours=1))
    assert publish_sandbox(now=b.now() + timedelta(hours=21))
    assert [words[:2] for words in ran] == [["publish", "sandbox.north/sandbox"]]
    ran.clear()
    Metadata.objects.filter(role="targets").update(expires_at=b.now() + timedelta(days=44))
    assert publish_sandbox(now=b.now() + timedelta(hours=21))
    assert [words[:2] for words in ran] == [["publisher", "renew"], ["publish", "sandbox.north/sandbox"]]


def test_a_failure_says_which_command_and_why_and_no_code(
    settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HASHSHARE_DATA, settings.HASHSHARE_PUBLIC_URL = tmp_path, "http://127.0.0.1:1"
    with pytest.raises(errors.HashshareError, match=r"^hashshare enroll, for the sandbox: ") as failed:
        make_sandbox(now=b.now())
    assert not any(part.count("-") == 2 and part.isupper() for part in failed.value.message.split())
    publisher = sandbox_publisher()
    assert publisher is not None
    assert sandbox_list() is None
    assert not targets_are_due(publisher, now=b.now())
    suspend_organisation(organisation=publisher.organisation)
    assert sandbox_publisher() is None
