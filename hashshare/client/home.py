"""The folder that holds everything a client knows: HASHSHARE_HOME, by default ~/.hashshare.

Only paths, permissions, locks and atomic writes live here; what the files mean is said by the modules that read them.
Every folder is 0700 and every file 0600: the organisation's private key and the entries are nobody else's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hashshare import durable
from hashshare.durable import naming as naming
from hashshare.durable import sync_folder as sync_folder
from hashshare.wire.errors import HashshareError, NotEnrolled, UsageError

CONFIG_FORMAT: Final = "hashshare-home/1"
HUBS_FORMAT: Final = "hashshare-hubs/1"
OWN_FOLDER: Final = "."
"""How the enrolment that lies in the home itself, not under hubs/, is named in the order of the hubs."""

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))+")
_LIST_ID = re.compile(r"[0-9a-f]{16}")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HUB_FOLDER = re.compile(r"[a-z0-9][a-z0-9._-]{0,252}")


def checked_domain(text: str) -> str:
    """A publisher's domain, safe as a folder name. Raises UsageError for anything else."""
    if len(text) > 253 or not _DOMAIN.fullmatch(text):
        raise UsageError(f"{text[:80]!r} is not a publisher's domain such as aurora.example.")
    return text


def checked_list_id(text: str) -> str:
    """A list id (16 lower-case hex digits), safe as a folder name. Raises UsageError for anything else."""
    if not _LIST_ID.fullmatch(text):
        raise UsageError(f"{text[:80]!r} is not a list id.")
    return text


def checked_hub_folder(name: str) -> str:
    """The name of a folder under hubs/. Raises UsageError for anything else."""
    if not _HUB_FOLDER.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is not the name of a hub here.")
    return name


def split_list_name(name: str) -> tuple[str, str]:
    """`aurora.example/images` -> ("aurora.example", "images"). Raises UsageError for anything else."""
    domain, slash, slug = name.partition("/")
    if not slash or not _SLUG.fullmatch(slug):
        raise UsageError(f"{name[:80]!r} is not a list's name such as aurora.example/images.")
    return checked_domain(domain), slug


@dataclass(frozen=True, slots=True)
class Config:
    """What enrolment left: the hub (`url`, its descriptor), the organisation ({slug,name,kind,country}), the key id."""

    hub_url: str
    hub: Mapping[str, Any]
    organisation: Mapping[str, Any]
    key_id: str

    def to_json(self) -> dict[str, Any]:
        return {
            "format": CONFIG_FORMAT,
            "hub_url": self.hub_url,
            "hub": dict(self.hub),
            "organisation": dict(self.organisation),
            "key_id": self.key_id,
        }


@dataclass(frozen=True, slots=True)
class Home:
    """Paths under one HASHSHARE_HOME. `Home.open()` makes the folder; nothing else is created before it is needed.

    What is held and whom it believes is one, whichever hub brought it. What belongs to an enrolment (`account`) is
    there once for each hub: in the home itself, and for further hubs under hubs/. `hub` names one of them; without it,
    it is the first, which is the only one in most homes.
    """

    path: Path
    hub: str = ""

    @classmethod
    def open(cls, path: Path | None = None) -> Home:
        """The home at `path`, else $HASHSHARE_HOME, else ~/.hashshare; created 0700. Raises UsageError if it cannot be
        used.
        """
        chosen = path or Path(os.environ.get("HASHSHARE_HOME") or Path.home() / ".hashshare")
        home = cls(chosen.expanduser().absolute())
        try:
            _claim(home.path)
        except OSError as error:
            raise UsageError(
                f"{home.path} cannot be used as home: {error.strerror}.",
                next_step="Name a folder that you own: HASHSHARE_HOME=/path hashshare ...",
            ) from error
        return home

    # --- paths ---

    @property
    def account(self) -> Path:
        """The folder with the enrolment, its keys, and what that hub said."""
        name = self.hub or self.hubs[0]
        return self.path if name == OWN_FOLDER else self.path / "hubs" / name

    @property
    def hubs(self) -> tuple[str, ...]:
        """The names of the enrolments, the one that is asked first at the beginning. Raises HashshareError."""
        document = read_json(self.hubs_path)
        if document is None:
            return (OWN_FOLDER,)
        order = document.get("order")
        named = isinstance(order, list) and all(isinstance(it, str) for it in order)
        if document.get("format") != HUBS_FORMAT or not named or not order:
            raise HashshareError(f"{self.hubs_path} is damaged.", next_step="Restore it from a backup.")
        return tuple(name if name == OWN_FOLDER else checked_hub_folder(name) for name in order)

    def at(self, hub: str) -> Home:
        """The same home, spoken for at that hub."""
        return Home(self.path, hub)

    @property
    def hubs_path(self) -> Path:
        """Absent in a home of one hub."""
        return self.path / "hubs.json"

    @property
    def config_path(self) -> Path:
        return self.account / "config.json"

    @property
    def key_path(self) -> Path:
        """The organisation's private key for signed requests (PKCS#8 PEM)."""
        return self.account / "key.pem"

    @property
    def hotline_dir(self) -> Path:
        """What a publisher keeps: officers' and feed keys, drafts."""
        return self.path / "hotline"

    def publisher_dir(self, domain: str) -> Path:
        return self.path / "publishers" / checked_domain(domain)

    def list_dir(self, list_id: str) -> Path:
        return self.path / "lists" / checked_list_id(list_id)

    # --- configuration ---

    def config(self) -> Config:
        """Raises NotEnrolled when there is none."""
        document = read_json(self.config_path)
        if document is None:
            raise NotEnrolled
        if document.get("format") != CONFIG_FORMAT:
            raise UsageError(f"{self.config_path} was written by another version of hashshare.")
        return Config(document["hub_url"], document["hub"], document["organisation"], document["key_id"])

    def save_config(self, config: Config) -> None:
        write_json(self.config_path, config.to_json())

    # --- locks ---

    @contextlib.contextmanager
    def lock(self, name: str, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the exclusive lock `name` (a file under locks/). `waiting` is called once if another process has it.

        The lock dies with the process, so a killed command never leaves it behind.
        """
        folder = make_private_folder(self.path / "locks")
        with file_lock(folder / f"{name}.lock", waiting=waiting):
            yield


@contextlib.contextmanager
def file_lock(
    path: Path, *, shared: bool = False, blocking: bool = True, waiting: Callable[[], None] | None = None
) -> Iterator[bool]:
    """Flock on `path`; yields whether it was got, which is always so when `blocking`."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            got = True
        except BlockingIOError:
            got = False
            if blocking:
                if waiting is not None:
                    waiting()
                fcntl.flock(descriptor, kind)
                got = True
        yield got
    finally:
        os.close(descriptor)


def _claim(path: Path) -> None:
    """Make `path` a home, or make sure that it is one before taking away others' access to it."""
    if not path.exists():
        make_private_folder(path)
    loose = stat.S_IMODE(path.stat().st_mode) & 0o077
    ours = any((path / name).exists() for name in ("config.json", "key.pem", "hubs.json", "publishers", "locks"))
    if loose and not ours and any(path.iterdir()):
        raise UsageError(
            f"{path} holds other things and is open to others, so it is not taken as home.",
            next_step="Name a folder for hashshare alone: HASHSHARE_HOME=/path hashshare ...",
        )
    if loose:
        path.chmod(0o700)


def make_private_folder(path: Path) -> Path:
    """Create `path` and its missing parents, each 0700."""
    if not path.is_dir():
        if not path.parent.is_dir():
            make_private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` (0600) with `data`, on the disk before it is seen, or leave it as it was."""
    make_private_folder(path.parent)
    durable.replace_file(path, data)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    write_atomic(path, json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`, None if there is no such file. Raises HashshareError if it is damaged."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise HashshareError(
            f"{path} is damaged: {error}.", next_step="Restore it, or remove it and sync again."
        ) from error
    if not isinstance(document, dict):
        raise HashshareError(f"{path} is damaged.", next_step="Restore it, or remove it and sync again.")
    return document
