"""Backups under test, with a passphrase that is cheap to try."""

from __future__ import annotations

import pytest

from hashshare.backup import sealed_keys

assert sealed_keys.COST == {"n": 1 << 17, "r": 8, "p": 1}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sealed_keys.COST, "n", 1 << 4)
