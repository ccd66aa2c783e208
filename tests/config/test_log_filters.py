"""The log has what somebody may want to know, and not what every client does at every refresh."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from config.log_filters import WorthALine

pytestmark = pytest.mark.django_db


def kept_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if WorthALine().filter(record)]


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/nowhere/tuf/aurora.example/metadata/2.root.json", False),
        ("/nowhere/tuf/aurora.example/metadata/2.targets.json", True),
        ("/nowhere/2.root.json", True),
    ],
)
def test_it_leaves_out_only_the_question_for_the_next_root(
    caplog: pytest.LogCaptureFixture, path: str, kept: bool
) -> None:
    with caplog.at_level(logging.WARNING, logger="django.request"):
        assert Client().get(path).status_code == 404
    assert kept_of(caplog) == ([f"Not Found: {path}"] if kept else [])
    assert len(caplog.records) == 1


def test_it_keeps_a_failure_to_answer_it() -> None:
    record = logging.makeLogRecord({"status_code": 500, "request": Client().get("/healthz").wsgi_request})
    record.request.path = "/api/v1/tuf/aurora.example/metadata/2.root.json"  # type: ignore[attr-defined]
    assert WorthALine().filter(record)
