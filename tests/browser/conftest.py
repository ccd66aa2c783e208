"""A hub with people and rows, and a browser in front of it; tests/browser/__init__.py says how to use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.cast import fill_hub
from tests.browser.chromium import chromium, needed
from tests.browser.desk import Desks
from tests.system.hub import Hubs, RunningHub


@pytest.fixture(scope="session")
def filled_hub() -> Iterator[RunningHub]:
    """One hub for all tests of this pytest process: change only what no other test looks at."""
    needed()
    hubs = Hubs()
    try:
        hub = hubs.start()
        fill_hub(hub)
        yield hub
    finally:
        hubs.stop_all()


@pytest.fixture(scope="session")
def cookies() -> dict[str, Any]:
    """Of who has signed in at `filled_hub`, by e-mail address."""
    return {}


@pytest.fixture(scope="module")
def desks(filled_hub: RunningHub, cookies: dict[str, Any]) -> Iterator[Desks]:
    """The browser ends with the module: Playwright's loop would keep Django's tables from the tests after it."""
    with chromium() as browser:
        yield Desks(browser, filled_hub.url, cookies)
