"""The `hashshare` program within the tests' own process: `call("sync", "--json", home=folder)`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final
from unittest.mock import patch

from typer import testing
from typer.main import get_command

from hashshare.client.cli.app import build

PROGRAM: Final = build()

_described = cache(get_command)
"""Typer would describe every command to itself anew each time that one is called."""


def call(*words: str | Path, home: Path) -> testing.Result:
    """`hashshare WORDS` with that HASHSHARE_HOME."""
    with patch.object(testing, "_get_command", _described):
        return testing.CliRunner().invoke(
            PROGRAM, [str(word) for word in words], env={"HASHSHARE_HOME": str(home)}, prog_name="hashshare"
        )
