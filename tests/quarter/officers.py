"""Aurora's officers: each with a machine that is enrolled nowhere, where their keys stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.quarter.machines import Machine


@dataclass(frozen=True, slots=True)
class Officer:
    name: str
    machine: Machine
    card: Path

    def sign(self, request: str | Path, *, exit_code: int = 0) -> Any:
        return self.machine.run("publisher", "sign", request, "--yes", exit_code=exit_code)


def officer(folder: Path, name: str) -> Officer:
    """With two new keys. Another `folder`, another card."""
    machine = Machine(folder)
    made = machine.run("publisher", "officer", name, "--no-passphrase")
    return Officer(name, machine, Path(made["card"]))


def signed(aurora: Machine, request: str | Path, people: Sequence[Officer]) -> Any:
    """The request goes from one to the next, and back to the hotline, who hands it in."""
    for person in people:
        person.sign(request)
    return aurora.run("publisher", "submit", request)
