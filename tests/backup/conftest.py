"""Backups under test, with a passphrase that is cheap to try; and a real hub that is backed up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from hashshare.backup import sealed_keys
from hashshare.backup.making import make_backup
from hashshare.log_keys import log_key
from tests import builders as b
from tests.backup.archives import WORDS

assert sealed_keys.COST == {"n": 1 << 17, "r": 8, "p": 1}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sealed_keys.COST, "n", 1 << 4)


@pytest.fixture
def hub(settings: Settings, tmp_path: Path) -> Iterator[b.Feed]:
    """A hub with a list, its keys and objects in folders of its own."""
    for name in ("DATA", "KEYS", "OBJECTS"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        setattr(settings, f"HASHSHARE_{name}", folder)
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    log_key()
    yield feed
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before%%'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture
def kept(hub: b.Feed, tmp_path: Path) -> Path:
    made = make_backup(tmp_path / "kept.tar", passphrase=WORDS, copy_objects=True)
    assert made.gone == 0
    return made.target
