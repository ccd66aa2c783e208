"""What the doctor says, by check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt, Ran, aurora, cobalt, north

__all__ = ["aurora", "cobalt", "north"]


@dataclass(frozen=True)
class Told:
    ran: Ran

    @property
    def status(self) -> int:
        return self.ran.status

    def of(self, check: str, *, state: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ran.json["findings"]
        return [row for row in found if row["check"] == check and (not state or row["state"] == state)]

    def bad(self, check: str) -> dict[str, Any]:
        """The one finding of that check that is bad, which says what it means and what to do."""
        [row] = self.of(check, state="bad")
        assert row["means"] and row["next_step"], row
        return row

    def warned(self, check: str) -> dict[str, Any]:
        [row] = self.of(check, state="warn")
        assert row["means"] and row["next_step"], row
        return row

    @property
    def ill(self) -> set[str]:
        return {row["check"] for row in self.ran.json["findings"] if row["state"] == "bad"}


def doctor(cobalt: Cobalt, *arguments: str) -> Told:
    return Told(cobalt.call("doctor", "--json", *arguments))


@pytest.fixture
def healthy(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    """Enrolled, pinned, in sync."""
    aurora.release(items(3))
    assert cobalt.call("sync").status == 0
    assert cobalt.call("pin", aurora.domain, aurora.fingerprint).status == 0
    return cobalt
