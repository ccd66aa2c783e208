"""Fixtures that start real hubs; tests/system/hub.py says how to use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.go import GoVerifier, build
from tests.system.hub import Hubs, RunningHub, StartHub


@pytest.fixture
def start_hub() -> Iterator[StartHub]:
    """Starts a hub of the test's own: `start_hub(NAME="value", ...)`; stopped and removed at its end."""
    hubs = Hubs()
    try:
        yield hubs.start
    finally:
        hubs.stop_all()


@pytest.fixture(scope="session")
def running_hub() -> Iterator[RunningHub]:
    """One hub for all tests of this pytest process: invite organisations of your own, and don't stop it."""
    hubs = Hubs()
    try:
        yield hubs.start()
    finally:
        hubs.stop_all()


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> GoVerifier:
    """Somebody else's program that verifies logs; skips where it cannot be built."""
    return build(tmp_path_factory.mktemp("go"))
