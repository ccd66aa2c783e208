"""Where the secret of a key comes from: the environment or the terminal, never the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import typer

from hashshare.wire.errors import UsageError

VARIABLE: Final = "HASHSHARE_PASSPHRASE"
PIN_VARIABLE: Final = "HASHSHARE_PIN"


def to_open(what: Path | str) -> bytes:
    """The passphrase of an encrypted key file, or the PIN of a key behind a URI. Raises UsageError where nobody can be
    asked.
    """
    variable, name = (VARIABLE, "passphrase") if isinstance(what, Path) else (PIN_VARIABLE, "PIN")
    if given := os.environ.get(variable):
        return given.encode()
    if not sys.stdin.isatty():
        raise UsageError(f"{what} needs a {name}.", next_step=f"Set {variable}, or run it on a terminal.")
    answer: str = typer.prompt(f"{name[0].upper()}{name[1:]} of {what}", hide_input=True, err=True)
    return answer.encode()


def to_protect(*, none: bool = False) -> bytes | None:
    """The passphrase for new keys: None if `none` is wanted, else from the environment or asked for twice.

    Raises UsageError where there is neither.
    """
    if none:
        return None
    if given := os.environ.get(VARIABLE):
        return given.encode()
    if not sys.stdin.isatty():
        raise UsageError(
            "New keys are kept under a passphrase, and there is no terminal to ask for one.",
            next_step=f"Set {VARIABLE}; or, for a trial, say --no-passphrase.",
        )
    answer: str = typer.prompt("Passphrase for the new keys", hide_input=True, confirmation_prompt=True, err=True)
    return answer.encode()


class Opening:
    """Asks for the secret of each key once while the command runs."""

    def __init__(self) -> None:
        self._known: dict[Path | str, bytes] = {}

    def __call__(self, what: Path | str) -> bytes:
        if what not in self._known:
            self._known[what] = to_open(what)
        return self._known[what]


class Making:
    """Asks for new keys once, and opens them with the same passphrase while the command runs."""

    def __init__(self, *, none: bool) -> None:
        self._none = none
        self._made: list[bytes | None] = []

    def __call__(self, what: Path | str) -> bytes | None:
        if isinstance(what, Path) and what.is_dir():
            self._made.append(to_protect(none=self._none))
            return self._made[-1]
        return self._made[-1] if self._made and isinstance(what, Path) else to_open(what)
