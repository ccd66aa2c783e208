"""Who runs the private PostgreSQL: this user, or `nobody` when this user is root, whom PostgreSQL refuses."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ImproperlyConfigured


class PrivatePostgresFailed(ImproperlyConfigured):
    """The private PostgreSQL cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; `switch` when that is not the user of this process."""

    uid: int
    gid: int
    switch: bool

    def run(self, *command: str | Path, cwd: Path = Path("/")) -> subprocess.CompletedProcess[str]:
        """Run a program as this account and return what it said; never raises for its exit status."""
        as_user: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        try:
            return subprocess.run(
                [str(part) for part in command],
                cwd=cwd, env=_environment(), text=True, errors="replace", check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **as_user,
            )  # fmt: skip
        except PermissionError as error:
            return subprocess.CompletedProcess(command, 126, stdout=str(error))

    def start(self, *command: str | Path, cwd: Path, log: Path) -> int:
        """Like `run`, for a program that leaves a server behind: its words go to `log`, the exit status is returned."""
        as_user: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
        with self.open_log(log) as words:
            return subprocess.run(
                [str(part) for part in command],
                cwd=cwd, env=_environment(), check=False,
                stdin=subprocess.DEVNULL, stdout=words, stderr=words, **as_user,
            ).returncode  # fmt: skip

    def can_enter(self, folder: Path) -> bool:
        return not self.switch or self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0

    def private_folder(self, path: Path) -> Path:
        """`path`, which this account alone may enter; made when it is missing, refused when it is somebody else's."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(self._taken_over(path, os.O_RDONLY | os.O_DIRECTORY, mode=0o700))
        return path

    def open_log(self, path: Path) -> BinaryIO:
        """`path` to append to, owned by this account and read by it alone."""
        return os.fdopen(self._taken_over(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode=0o600), "ab")

    def _taken_over(self, path: Path, flags: int, *, mode: int) -> int:
        """Open `path` and give what was opened to this account, which may write where it lies and must not get root
        to give it another file by putting a link, hard or symbolic, in its place.
        """
        try:
            descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode)
        except OSError as error:
            raise PrivatePostgresFailed(f"{path} cannot be used: {error.strerror}.") from error
        found = os.fstat(descriptor)
        if found.st_uid not in {self.uid, os.geteuid()} or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1):
            os.close(descriptor)
            raise PrivatePostgresFailed(f"{path} belongs to somebody else. Remove it, or set another HASHSHARE_DATA.")
        if self.switch:
            os.fchown(descriptor, self.uid, self.gid)
        os.fchmod(descriptor, mode)
        return descriptor


def _environment() -> dict[str, str]:
    """What PostgreSQL's programs need and nothing more: others of the server's account may read its environment, and
    ours may hold the hub's secrets.
    """
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}


def account() -> Account:
    """This user's account, or that of `nobody` for root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PrivatePostgresFailed(
            "PostgreSQL does not run as root, and there is no user `nobody` here. "
            "Run this as an ordinary user, or set DATABASE_URL."
        ) from error
    return Account(nobody.pw_uid, nobody.pw_gid, switch=True)
