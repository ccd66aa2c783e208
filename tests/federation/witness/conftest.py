"""Other hubs that answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.cache import caches

from tests.federation.builders import accepted, hub
from tests.federation.builders_witness import PublicHub, serving


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    caches["limits"].clear()
    yield


Answering = Callable[[str], PublicHub]


@pytest.fixture
def answering(db: None, settings: Any, tmp_path: Any) -> Iterator[Answering]:
    """Makes an accepted peer of that name which really answers, on loopback."""
    settings.HASHSHARE_DATA = str(tmp_path)
    with ExitStack() as stack:

        def make(name: str) -> PublicHub:
            made = PublicHub(hub(name))
            made.hub.url = stack.enter_context(serving(made))
            accepted(made.hub)
            return made

        yield make
