"""One private PostgreSQL server: where its files are, making, starting and stopping it. Not who uses it.

<home>/18/            the data, made by PostgreSQL 18
<home>/socket/        the Unix socket, mode 0700
<home>/programs-18.6/ a copy of the programs, only where the server's account cannot reach the real ones
<home>/server.log
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from config.postgres.account import Account, PrivatePostgresFailed, account
from config.postgres.programs import Programs, find_programs

USER: Final = "hashshare"
DATABASE: Final = "hashshare"
LONGEST_SOCKET: Final = 100
START_SECONDS: Final = 60
OUT_OF_REACH: Final = Path("/var/lib/hashshare")
"""Where root's server keeps its files when its account cannot enter the data folder."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server of `programs`, run by `account`, with everything it keeps below `home`."""

    account: Account
    programs: Programs
    home: Path

    @property
    def data(self) -> Path:
        return self.home / str(self.programs.major)

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def socket(self) -> Path:
        return socket_folder(self.home)

    def is_running(self) -> bool:
        return self.data.is_dir() and self._pg_ctl("status").returncode == 0

    def make_sure_it_runs(self, *, durable: bool) -> None:
        """Make the data when it is missing, start the server when it is down, make the database when it is missing."""
        if not self.data.is_dir():
            self._make(durable=durable)
        if not self.is_running():
            self._start(durable=durable)
        self._make_database()

    def stop(self) -> None:
        if self.is_running():
            self._pg_ctl("stop", "-m", "fast", "-w", "-t", str(START_SECONDS))

    def remove(self) -> None:
        """Stop the server and delete all it kept."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)

    def _pg_ctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.account.run(self.programs["pg_ctl"], "-D", self.data, *words)

    def _make(self, *, durable: bool) -> None:
        """Make the data beside its place and move it there: a killed start leaves no half-made data behind."""
        draft = self.home / f".making-{self.programs.major}"
        shutil.rmtree(draft, ignore_errors=True)
        said = self.account.run(
            self.programs["initdb"], "-D", draft, "-U", USER, "-E", "UTF8", "--locale=C", "--auth=trust",
            *([] if durable else ["--no-sync"]),
        )  # fmt: skip
        if said.returncode != 0:
            raise PrivatePostgresFailed(
                f"PostgreSQL could not make its data in {self.home}: {_last_lines(said.stdout)}"
            )
        draft.rename(self.data)

    def _start(self, *, durable: bool) -> None:
        socket = self.account.private_folder(self.socket)
        switches = {
            "listen_addresses": "", "unix_socket_directories": str(socket), "unix_socket_permissions": "0700",
            "fsync": "on" if durable else "off", "synchronous_commit": "on" if durable else "off",
        }  # fmt: skip
        options = " ".join("-c " + shlex.quote(f"{name}={value}") for name, value in switches.items())
        words = ("-D", self.data, "-o", options, "-l", self.log, "-w", "-t", str(START_SECONDS), "start")
        if self.account.start(self.programs["pg_ctl"], *words, cwd=self.home, log=self.log) != 0:
            lines = _last_lines(self.log.read_text(errors="replace"))
            raise PrivatePostgresFailed(f"The private PostgreSQL did not start ({self.log}): {lines}")

    def _make_database(self) -> None:
        with psycopg.connect(host=str(self.socket), user=USER, dbname="postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")


def cluster_of(folder: Path) -> Cluster:
    """The private server of the data folder `folder`; nothing is started."""
    runner = account()
    home = home_of(folder, runner)
    programs = find_programs(major=major_kept(home))
    runner.private_folder(home)
    return Cluster(runner, programs.usable_by(runner, copy_to=home), home)


def socket_folder(home: Path) -> Path:
    """Inside `home`, unless that is too long for a socket or has characters that PostgreSQL reads as separators."""
    inside = home / "socket"
    if len(str(inside)) + len("/.s.PGSQL.5432") <= LONGEST_SOCKET and re.fullmatch(r"[\w./+@-]+", str(inside)):
        return inside
    return Path("/tmp") / f"hashshare-{_digest(home)}"  # noqa: S108


def home_of(folder: Path, runner: Account) -> Path:
    """Where the private server of the data folder `folder` keeps its files."""
    if runner.can_enter(folder):
        return folder / "postgresql"
    OUT_OF_REACH.mkdir(parents=True, exist_ok=True, mode=0o755)
    if not runner.can_enter(OUT_OF_REACH):
        raise PrivatePostgresFailed(
            f"PostgreSQL does not run as root, and its user can enter neither {folder} nor {OUT_OF_REACH}. "
            "Set HASHSHARE_DATA to a folder that others may pass through, or set DATABASE_URL."
        )
    return OUT_OF_REACH / _digest(folder)


def major_kept(home: Path) -> int | None:
    """The newest PostgreSQL version that has data here, if any has."""
    return max(majors_kept(home), default=None)


def majors_kept(home: Path) -> set[int]:
    """Every version that has data here; all but the newest are what an upgrade left."""
    if not home.is_dir():
        return set()
    return {int(path.name) for path in home.iterdir() if path.name.isdigit() and path.is_dir()}


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _last_lines(text: str, count: int = 4) -> str:
    return " | ".join(text.strip().splitlines()[-count:])
