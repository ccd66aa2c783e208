"""Debian's Chromium, and whether this machine has what the tests in a browser need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.barriers import AXE

REQUIRED: Final = "HASHSHARE_TEST_BROWSER"
"""Set where all of it has to be there, so that a machine that lost it does not pass by skipping."""

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """The browser's path, if there is one."""
    return next(filter(None, (shutil.which(name) for name in NAMES)), None)


def needed() -> None:
    """Skips the test, or fails it where REQUIRED is set, when Chromium or axe-core is missing."""
    lacking = {
        "Chromium (Debian: apt-get install chromium)": program() is None,
        "axe-core (make axe)": not AXE.exists(),
    }
    missing = [what for what, is_missing in lacking.items() if is_missing]
    if missing and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set, but there is no {' and no '.join(missing)}.")
    if missing:
        pytest.skip(f"NOBODY LOOKS AT THE PAGES IN THIS RUN: there is no {' and no '.join(missing)}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless. Root has no sandbox to drop into; who is not root keeps it."""
    path = program()
    assert path, "no Chromium: apt-get install chromium"
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync"]
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*quiet, *as_root, "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()
