"""Keys that come and go on this machine: the next one is made beside the one in use, takes its place once the hub has
accepted it, and what was replaced is kept under a dated name for its owner to destroy.

`<role>.json` (client.signers) always names a key that is there, so that a command killed anywhere leaves one in use;
the next command goes on from what it finds.
"""

from __future__ import annotations

import os
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from securesystemslib.signer import Key

from hashshare.client.home import make_private_folder, sync_folder, write_atomic
from hashshare.client.publisher import KEY_ROLES, OwnPublisher
from hashshare.client.signers import (
    FILE,
    Ask,
    HeldKey,
    find_key,
    held_keys,
    import_key,
    is_there,
    make_file_key,
    record_key,
)
from hashshare.wire.errors import UsageError
from hashshare.wire.repository.rotation import feed_keys, officer_keys


@dataclass(frozen=True, slots=True)
class Taken:
    """`key` has taken over `role` ("root", "targets", "feed"); `retired` is where the one before it is kept."""

    role: str
    key: HeldKey
    retired: HeldKey | None


RETIRED: Final = "-until-"
"""In the name of every key that was replaced."""


def key_here(mine: OwnPublisher, name: str) -> HeldKey | None:
    """The key of that name, unless its file is gone."""
    key = find_key(mine.keys_folder, name)
    return key if is_there(key) else None


def copy_key(mine: OwnPublisher, role: str, key: HeldKey) -> HeldKey:
    """Bring a key from another folder here, as that of `role`; its file stays as protected as it was."""
    folder, uri = make_private_folder(mine.keys_folder), key.uri
    if isinstance(key.place, Path):
        write_atomic(_file(folder, role), key.place.read_bytes())
        uri = f"{FILE}{role}.pem"
    return record_key(folder, role, uri=uri, public=key.public)


def retired_keys(mine: OwnPublisher) -> list[HeldKey]:
    """Keys that were replaced and are still here for their owner to destroy."""
    return [key for key in held_keys(mine.keys_folder) if RETIRED in key.name]


def next_name(role: str) -> str:
    return f"{role}-next"


def next_key(mine: OwnPublisher, role: str, ask: Ask, *, uri: str = "") -> HeldKey:
    """The key that shall take over `role`: as an earlier attempt left it, else the one behind `uri`, or made now.

    Raises UsageError when an earlier attempt left another than `uri`.
    """
    folder, name = make_private_folder(mine.keys_folder), next_name(role)
    key = key_here(mine, name)
    if key is not None and uri and key.uri != uri:
        raise UsageError(
            f"Another key waits to take over already: {key.place}.",
            next_step=f"Go on with it, without --new-key; or remove {_record(folder, name)} first.",
        )
    if key is None and uri:
        found, public = import_key(uri, ask)
        return record_key(folder, name, uri=found, public=public)
    return key or make_file_key(folder, name, passphrase=ask(folder))


def is_under_way(mine: OwnPublisher) -> bool:
    """Whether a key waits to take over."""
    return any(_record(mine.keys_folder, next_name(role)).exists() for role in KEY_ROLES)


def take_over(mine: OwnPublisher, *, root: bytes, targets: bytes, now: datetime) -> tuple[Taken, ...]:
    """Put every next key that accepted metadata names in the place of the one before it; what took over.

    Safe to repeat after a kill at any point. The caller holds the lock `publisher-<domain>`.
    """
    named = {
        "root": officer_keys(root, "root"),
        "targets": officer_keys(root, "targets"),
        "feed": all_feed_keys(targets),
    }
    done = [_take_over(mine, role, {key.keyid for key in keys}, now=now) for role, keys in named.items()]
    for role in ("root", "targets"):
        leave(mine, role, {key.keyid for key in named[role]}, now=now)
    return tuple(taken for taken in done if taken is not None)


def all_feed_keys(targets: bytes) -> list[Key]:
    """Those that may sign the feed of any list."""
    return [key for keys in feed_keys(targets).values() for key in keys]


def _take_over(mine: OwnPublisher, role: str, accepted: Set[str], *, now: datetime) -> Taken | None:
    folder = mine.keys_folder
    coming, standing = find_key(folder, next_name(role)), key_here(mine, role)
    if coming is None or coming.keyid not in accepted:
        return None
    retired = None
    if standing is not None and standing.keyid != coming.keyid:
        retired = _retire(folder, role, standing, now=now)
    if standing is None or standing.keyid != coming.keyid:
        # From here on the new key is the one in use, still under its first file name.
        record_key(folder, role, uri=coming.uri, public=coming.public)
    if isinstance(coming.place, Path):
        _rename(folder, coming, role)
    _record(folder, next_name(role)).unlink(missing_ok=True)
    sync_folder(folder)
    return Taken(role, coming, retired)


def leave(mine: OwnPublisher, role: str, accepted: Set[str], *, now: datetime) -> None:
    """Put a key that nothing names any more among the retired, though none is here to follow it."""
    folder, standing = mine.keys_folder, find_key(mine.keys_folder, role)
    if standing is None or standing.keyid in accepted:
        return
    if is_there(standing):
        _retire(folder, role, standing, now=now)
    # The record last: a file without one would be told to nobody.
    _file(folder, role).unlink(missing_ok=True)
    _record(folder, role).unlink()
    sync_folder(folder)


def _rename(folder: Path, key: HeldKey, role: str) -> None:
    """Give the key's file the name of its role. Both names are good until the record names the new one."""
    first, last = folder / key.uri.removeprefix(FILE), _file(folder, role)
    if first.exists():
        second = _linked(first)
        second.replace(last)
        second.unlink(missing_ok=True)  # where both were one file already, the move does nothing
    record_key(folder, role, uri=f"{FILE}{last.name}", public=key.public)
    first.unlink(missing_ok=True)


def _linked(path: Path) -> Path:
    """A second name for a file, from which it can be moved while the first stays."""
    second = path.with_suffix(".moving")
    second.unlink(missing_ok=True)
    os.link(path, second)
    return second


def _retire(folder: Path, role: str, key: HeldKey, *, now: datetime) -> HeldKey:
    """Keep the replaced key under a dated name; its file has two names until the role's own is taken."""
    name = _retired_name(folder, role, key, now=now)
    uri = key.uri
    if isinstance(key.place, Path):
        uri = f"{FILE}{name}.pem"
        if not _file(folder, name).exists() and key.place.exists():
            os.link(key.place, _file(folder, name))
    return record_key(folder, name, uri=uri, public=key.public)


def _retired_name(folder: Path, role: str, key: HeldKey, *, now: datetime) -> str:
    """`feed-until-2026-11-28`, numbered where that day has another one."""
    first = name = f"{role}{RETIRED}{now:%Y-%m-%d}"
    number = 1
    while (there := find_key(folder, name)) is not None and there.keyid != key.keyid:
        number += 1
        name = f"{first}-{number}"
    return name


def _record(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pem"
