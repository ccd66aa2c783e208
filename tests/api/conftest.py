"""The cast of the API's tests: two hotlines, two members, a partner; and counters that start at nought."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from pytest_django.fixtures import Settings

from tests.api.parties import Party, enrolled
from tests.api.publishing import Hotline


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    caches["limits"].clear()
    yield


@pytest.fixture
def aurora(db: None) -> Party:
    return enrolled("hotline", "Aurora", domains=("aurora.example",))


@pytest.fixture
def borealis(db: None) -> Party:
    return enrolled("hotline", "Borealis", domains=("borealis.example",))


@pytest.fixture
def cobalt(db: None) -> Party:
    return enrolled("member", "Cobalt")


@pytest.fixture
def delta(db: None) -> Party:
    return enrolled("partner", "Delta")


@pytest.fixture
def images(aurora: Party, settings: Settings, tmp_path: Path) -> Hotline:
    """Aurora's list of images, version 1 published."""
    settings.HASHSHARE_OBJECTS = tmp_path / "objects"
    return Hotline(aurora, "aurora.example").publish()
