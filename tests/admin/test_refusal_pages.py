"""What a browser gets when there is no page to show: plain words in the frame of the others, and the right status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.test import Client

from tests.admin.cast import browser, organisation, person

pytestmark = pytest.mark.django_db


def refused(answer: Any, status: int) -> str:
    text = str(answer.content.decode())
    assert answer.status_code == status
    assert "hashshare/frame.css" in text
    assert 'href="/admin/"' in text
    assert "unsafe" not in answer["Content-Security-Policy"]
    return text


def test_it_says_that_there_is_no_such_page(client: Client) -> None:
    assert "No such page" in refused(client.get("/nowhere/"), 404)


def test_it_says_that_a_page_is_not_for_this_account() -> None:
    observer = browser(person("observer", organisation("Delta", "partner")))
    assert "Your account does not open this page" in refused(observer.get("/admin/timetable/"), 403)


def test_it_says_that_a_request_makes_no_sense() -> None:
    answer = browser(person("operator")).get("/admin/hashshare/delivery/?list__publisher__organisation__name=Aurora")
    assert "makes no sense" in refused(answer, 400)


def test_it_says_that_a_form_is_too_large(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    asked = browser(person("operator")).post("/admin/hashshare/organisation/do/invite/", {"name": "x" * 2_000})
    assert "Nothing of it was kept" in refused(asked, 413)


def failing(error: Exception) -> Callable[..., NoReturn]:
    def fails(*args: object, **kwargs: object) -> NoReturn:
        raise error

    return fails


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (RuntimeError("secret detail"), 500, "The fault is the hub's"),
        (OperationalError("secret detail"), 503, "database does not answer"),
    ],
)
def test_it_says_whose_fault_it_was_and_no_detail(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str
) -> None:
    client = browser(person("operator"))
    client.raise_request_exception = False
    monkeypatch.setattr("hashshare.admin.timetable.job_states", failing(error))
    text = refused(client.get("/admin/timetable/"), status)
    assert words in text
    assert "secret detail" not in text
