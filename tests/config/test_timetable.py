"""HASHSHARE_TIMETABLE: other seconds for some of what beat sends, and nothing that makes no sense."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.celery import TIMETABLE, beat_schedule
from config.environment import timetable

NAME = "HASHSHARE_TIMETABLE"


def test_it_is_the_usual_one_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert timetable(NAME, TIMETABLE) == TIMETABLE


def test_it_changes_what_is_named_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "seal_logs=10,sweep_jobs=2.5")
    told = beat_schedule(timetable(NAME, TIMETABLE))
    assert {name: row["schedule"] for name, row in told.items()} == TIMETABLE | {"seal_logs": 10.0, "sweep_jobs": 2.5}
    assert told["seal_logs"]["options"] == {"expires": 10.0}, "what a busy worker left undone is not done twice"


@pytest.mark.parametrize(
    "given", ["seal_logs=0", "seal_logs=-5", "seal_logs=nan", "seal_logs=inf", "seal_logs=soon", "seal=10"]
)
def test_it_refuses_what_makes_no_sense(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(NAME, given)
    with pytest.raises(ImproperlyConfigured, match="seal_logs=10"):
        timetable(NAME, TIMETABLE)
