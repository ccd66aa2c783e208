"""Other keys of the organisation that end soon: told, unless the same machine has replaced them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hashshare.client.doctor import account
from hashshare.client.doctor.finding import State
from hashshare.client.doctor.patient import Patient
from hashshare.client.home import Home

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def row(key: str, name: str, *, until: str, introduced_by: str = "") -> dict[str, Any]:
    return {"id": key, "name": name, "state": "active", "not_after": until, "introduced_by": introduced_by}


OLD = row("SHA256:old", "sync-01", until="2026-11-29T00:00:00Z")


def warnings(home: Path, *others: dict[str, Any]) -> list[str | None]:
    status = {"caller": {"key": "SHA256:mine"}, "keys": [row("SHA256:mine", "sync-02", until="2027-11-28T00:00:00Z")]}
    status["keys"] = [*status["keys"], *others]
    patient = Patient(Home(home), NOW, None, account={"status": status})
    return [finding.subject for finding in account.check(patient) if finding.state is State.WARN]


def test_a_key_of_another_machine_that_ends_soon_is_told(tmp_path: Path) -> None:
    assert warnings(tmp_path, OLD) == ["SHA256:old"]


def test_a_key_that_its_machine_has_replaced_is_not(tmp_path: Path) -> None:
    successor = row("SHA256:new", "sync-01", until="2027-11-28T00:00:00Z", introduced_by="SHA256:old")
    assert warnings(tmp_path, OLD, successor) == []


def test_a_key_that_introduced_another_machine_is_told(tmp_path: Path) -> None:
    other = row("SHA256:new", "sync-03", until="2027-11-28T00:00:00Z", introduced_by="SHA256:old")
    assert warnings(tmp_path, OLD, other) == ["SHA256:old"]
