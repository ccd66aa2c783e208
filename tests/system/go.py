"""The verifier of tests/system/go_log, built from the Go packages that Debian ships; nothing is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "go_log"
MODULE = Path("/usr/share/gocode/src/golang.org/x/mod")
REQUIRED = "HASHSHARE_TEST_GO"
"""Set where Go has to be there, so that a machine that lost it does not pass by skipping."""


class GoVerifier:
    """Runs the built program."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._program, *arguments], capture_output=True, text=True, timeout=120, check=False)

    def accepts(self, *arguments: str) -> str:
        """What it says of a log that it accepts."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert done.stdout.startswith("ok: ")
        return done.stdout

    def refuses(self, *arguments: str) -> str:
        """The reason for which it refuses."""
        done = self.run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("refused: ")
        return done.stderr


def build(folder: Path) -> GoVerifier:
    """Skips the test, with a reason that nobody overlooks, where Go or its packages are missing."""
    missing = next((what for what in ("go", str(MODULE)) if not (shutil.which(what) or Path(what).is_dir())), None)
    if missing and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set, but {missing} is not there.")
    if missing:
        pytest.skip(
            f"NOBODY ELSE'S PROGRAM CHECKS THE LOG IN THIS RUN: {missing} is not there"
            " (Debian: apt-get install golang-go golang-golang-x-mod-dev)"
        )
    for name in ("go.mod", "main.go"):
        shutil.copy(SOURCE / name, folder)
    local = {
        "CGO_ENABLED": "0",  # there need not be a C compiler
        "GO111MODULE": "on",
        "GOCACHE": str(folder / "cache"),
        "GOENV": "off",
        "GOFLAGS": "-mod=mod",
        "GOPATH": str(folder / "path"),
        "GOPROXY": "off",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
    }
    for command in (
        ["go", "mod", "edit", "-replace", f"golang.org/x/mod={MODULE}"],
        ["go", "vet", "."],
        ["go", "build", "-o", "verify", "."],
    ):
        subprocess.run(command, cwd=folder, env=os.environ | local, check=True, timeout=300)
    return GoVerifier(folder / "verify")
