"""Where the passphrase of a publisher's keys comes from: the environment or the terminal, never the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import typer

from hashshare.wire.errors import UsageError

VARIABLE: Final = "HASHSHARE_PASSPHRASE"


def to_open(path: Path) -> bytes:
    """The passphrase of the encrypted key file `path`. Raises UsageError where nobody can be asked."""
    if given := os.environ.get(VARIABLE):
        return given.encode()
    if not sys.stdin.isatty():
        raise UsageError(f"{path} needs a passphrase.", next_step=f"Set {VARIABLE}, or run it on a terminal.")
    answer: str = typer.prompt(f"Passphrase of {path}", hide_input=True, err=True)
    return answer.encode()


def to_protect(prompt: bool) -> bytes | None:
    """The passphrase for new keys: from the environment, asked for twice if `prompt`, else none."""
    if given := os.environ.get(VARIABLE):
        return given.encode()
    if not prompt:
        return None
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for a passphrase on.", next_step=f"Set {VARIABLE} instead.")
    answer: str = typer.prompt("Passphrase for the new keys", hide_input=True, confirmation_prompt=True, err=True)
    return answer.encode()


class Making:
    """Asks for new keys once, and opens them with the same passphrase while the command runs."""

    def __init__(self, *, none: bool) -> None:
        self._none = none
        self._made: list[bytes | None] = []

    def __call__(self, what: Path | str) -> bytes | None:
        if isinstance(what, Path) and what.is_dir():
            self._made.append(None if self._none else to_protect(True))
            return self._made[-1]
        return self._made[-1] if self._made and isinstance(what, Path) else to_open(Path(what))
