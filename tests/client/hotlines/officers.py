"""Aurora's officers Anna, Ben and Carol, each with a machine of their own that is enrolled nowhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hashshare.client.home import Home
from tests.client.hotlines.desk import Desk

NAMES = ("Anna", "Ben", "Carol")


@dataclass(frozen=True)
class Officer:
    """`card` is what the hotline gets; everything else stays on `desk`."""

    name: str
    desk: Desk
    card: Path

    @property
    def keys(self) -> Path:
        return self.desk.home.path / "officer"

    def sign(self, request: Path | str, *words: str | Path, exit_code: int = 0) -> Any:
        """Sign the file itself, without being asked."""
        return self.desk.json("publisher", "sign", request, "--yes", *words, exit_code=exit_code)

    def copy(self, request: Path | str) -> Path:
        """A copy of the request on this officer's stick."""
        return Path(shutil.copy(request, self.desk.folder / "request.json"))


def officer(folder: Path, name: str) -> Officer:
    folder.mkdir()
    desk = Desk(Home.open(folder / "home"), folder)
    made = desk.json("publisher", "officer", name, "--no-passphrase")
    return Officer(name, desk, Path(made["card"]))


def officers(folder: Path, names: tuple[str, ...] = NAMES) -> list[Officer]:
    return [officer(folder / name.lower(), name) for name in names]


def begin(aurora: Desk, people: list[Officer], *words: str) -> Any:
    """`publisher init` with everybody's card."""
    cards = [word for person in people for word in ("--officer", str(person.card))]
    return aurora.json("publisher", "init", "aurora.example", "--no-passphrase", *cards, *words)


def found(aurora: Desk, people: list[Officer]) -> Any:
    """The whole founding, signed by the first two; the answer of `submit`."""
    request = begin(aurora, people)["request"]
    for person in people[:2]:
        person.sign(request)
    return aurora.json("publisher", "submit", request)
