"""What every test run shares. Its data folder and private PostgreSQL are the business of tests/settings.py."""

from __future__ import annotations

import os
import signal

import pytest

SERVICES = ("HASHSHARE_TEST_DATABASE_URL", "HASHSHARE_TEST_RABBITMQ_URL", "HASHSHARE_TEST_REDIS_URL")


def pytest_configure() -> None:
    """Members' programs ask a hub whenever a test has them to, but where that they don't is what is tested.

    A shell that runs the tests in the background has them ignore Ctrl-C, and every program they start would too."""
    os.environ.setdefault("HASHSHARE_SYNC_NOW", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, so that all processes end together.

    Tests of other people's servers need those: `make test-services` insists on them, `make test` does not.
    """
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    missing = [name for name in SERVICES if name not in os.environ]
    if missing:
        reason = pytest.mark.skip(reason=f"make test-services: {missing[0]} is not set")
        for item in items:
            if item.get_closest_marker("services"):
                item.add_marker(reason)
