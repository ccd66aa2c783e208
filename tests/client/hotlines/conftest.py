"""Hub North on loopback, and Aurora's desk enrolled there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hashshare.client import session
from tests.client.hotlines.desk import LIST, Desk, desk
from tests.client.hotlines.north import North, serving


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a client asks again matters here, not how long it pauses before."""
    monkeypatch.setattr(session, "_backoff", lambda attempt: 0.01 * attempt)


@pytest.fixture
def north() -> North:
    return North()


@pytest.fixture
def url(north: North) -> Iterator[str]:
    with serving(north) as address:
        yield address


@pytest.fixture
def aurora(url: str, tmp_path: Path) -> Desk:
    """Enrolled, nothing else."""
    return desk(tmp_path, url)


@pytest.fixture
def images(aurora: Desk) -> Desk:
    """With a root, and the list aurora.example/images of sha256, md5 and category, never published."""
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    declared = ("--algorithms", "sha256,md5", "--scheme", "uk-abc", "--columns", "category")
    aurora.json("publisher", "list", "create", LIST, *declared)
    return aurora
