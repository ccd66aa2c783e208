"""The public page: for anybody, about nobody who has not agreed, cheap, and the same for all so that caches keep it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hashshare.models import HashList, JobRun
from hashshare.services.organisations import agree_to_be_named, suspend_organisation
from tests import builders as b
from tests.admin.cast import browser, organisation, person
from tests.admin.figures import edition, record
from tests.admin.test_strict_policy import INLINE

pytestmark = pytest.mark.django_db


def words(client: Client | None = None) -> str:
    answer = (client or Client()).get("/")
    assert answer.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_it_says_what_this_hub_is_without_signing_in() -> None:
    text = words()
    assert "Only hashes are handled here, never media." in text
    assert "nothing can be reported here" in text
    assert "Sign in" in text


def test_it_has_something_to_say_on_a_new_hub() -> None:
    text = words()
    assert "No list has been published yet." in text
    assert "stands here once they were counted" in text
    assert "once there is something in them" in text


def test_it_counts_everybody_and_names_only_who_agreed() -> None:
    cobalt = organisation("Cobalt", "member")
    granite = organisation("<b>Granite</b>", "member")
    organisation("Aurora", "hotline", domain="aurora.example")
    row = edition()
    for metric, value in (("members", 6), ("hotlines", 1), ("partners", 0)):
        record(row, metric, value)
    record(row, "members", 2, scope="country:NL")
    agree_to_be_named(organisation=granite, now=timezone.now())
    text = words()
    assert "Hotlines 1 Members 6 Governments and partners 0" in text
    assert "Cobalt" not in text
    assert "Aurora" not in text
    assert "aurora.example" not in text
    assert "&lt;b&gt;Granite&lt;/b&gt;" in Client().get("/").content.decode()
    agree_to_be_named(organisation=cobalt, now=timezone.now())
    assert "Cobalt" in words()
    suspend_organisation(organisation=cobalt)
    assert "Cobalt" not in words()


def test_it_says_when_the_last_list_was_published_but_not_of_private_ones() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    moment = HashList.objects.get().published_at
    assert moment is not None
    assert f"at {moment:%H:%M} UTC" in words()
    HashList.objects.update(visibility="private")
    assert "No list has been published yet." in words()


def test_it_gives_the_addresses_of_the_logs_and_names_a_hotlines_only_if_it_agreed() -> None:
    hotline = b.publisher()
    text = words()
    assert "127.0.0.1:8000/log/publication" in text
    assert "log/aurora.example" not in text
    agree_to_be_named(organisation=hotline.party.organisation, now=timezone.now())
    assert "127.0.0.1:8000/log/aurora.example" in words()


def test_it_says_when_work_is_behind() -> None:
    now = timezone.now()
    JobRun.objects.create(name="seal_logs", started_at=now, finished_at=now)
    assert "In operation" in words()
    JobRun.objects.update(started_at=now - timedelta(hours=1), finished_at=now - timedelta(hours=1))
    assert "Work is behind" in words()


def test_its_links_lead_somewhere() -> None:
    text = Client().get("/").content.decode()
    for link in re.findall(r'href="(/[^"#]*)"', text):
        if not link.startswith("/static/"):
            assert Client().get(link).status_code in {200, 302}, link


def test_it_is_the_same_for_everybody_and_may_be_kept_for_some_minutes() -> None:
    stranger, signed_in = Client().get("/"), browser(person("operator")).get("/")
    assert stranger["Cache-Control"] == "public, max-age=300"
    assert stranger.content == signed_in.content
    assert "Set-Cookie" not in stranger
    assert "Cookie" not in stranger.get("Vary", "")


def test_it_is_cheap() -> None:
    with CaptureQueriesContext(connection) as queries:
        Client().get("/")
    assert len(queries) <= 7


def test_it_keeps_to_the_strict_policy_and_only_reads() -> None:
    answer = Client().get("/")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert INLINE.search(answer.content.decode()) is None
    assert Client().post("/").status_code == 405
