"""A hub that was restored from a backup: whatever would change something is answered 503 with what to do, at both its
doors; what was published can be read, but for what would be called the newest.
"""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from hashshare.api import problems
from hashshare.models import Organisation, Restoration
from hashshare.services.logs import begin_logs
from hashshare.services.recovery import note_restored
from tests import builders as b
from tests.api.parties import CLIENT, Party
from tests.api.test_declared_callers import SIGNED_ONLY, address

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    begin_logs(now=b.now())
    note_restored(backup_id="0" * 32, made_at=b.now(), now=b.now())
    return feed


CHANGES = [(name, method) for name, method, _ in SIGNED_ONLY if name != "tokens"]


@pytest.mark.parametrize(("name", "method"), [*CHANGES, ("enrolments", "POST")])
def test_it_takes_no_change(images: b.Feed, name: str, method: str) -> None:
    answer = CLIENT.generic(method, address(name), b"{}", content_type="application/json")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "restored")
    assert "manage.py recover" in answer.json()["next_step"]
    assert int(answer["Retry-After"]) > 600


def test_its_pages_take_none_either(images: b.Feed, client: Client) -> None:
    answer = client.post("/admin/hashshare/organisation/add/", {})
    assert answer.status_code == 503
    assert b"manage.py recover" in answer.content
    assert client.get("/admin/login/").status_code == 200
    assert client.post("/admin/login/", {}).status_code == 200
    assert Organisation.objects.count() == 1


def test_it_says_so_in_its_log_once_and_as_no_error(
    images: b.Feed, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    problems._say_restored.cache_clear()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert CLIENT.post("/api/v1/enrolments", b"{}", content_type="application/json").status_code == 503
            assert client.post("/admin/hashshare/organisation/add/", {}).status_code == 503
            assert CLIENT.get("/log/aurora.example/checkpoint").status_code == 503
            assert images.publisher.party is not None
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in said] == ["WARNING"]
    assert "manage.py recover" in said[0].getMessage()


@pytest.mark.parametrize("path", ["/log/aurora.example/checkpoint", "/log/publication/checkpoint"])
def test_it_shows_no_log_that_may_have_shrunk(images: b.Feed, path: str) -> None:
    assert CLIENT.get(path).status_code == 503
    Restoration.objects.all().delete()
    assert CLIENT.get(path).status_code == 200


def test_what_was_published_is_still_served(images: b.Feed) -> None:
    aurora = Party(images.publisher.party.organisation, images.publisher.party.key)
    for path, status in {
        "heads": 200,
        "lists": 200,
        "tuf/aurora.example/metadata/1.root.json": 200,
        "tuf/aurora.example/metadata/timestamp.json": 503,
    }.items():
        assert aurora.get(path).status_code == status, path
