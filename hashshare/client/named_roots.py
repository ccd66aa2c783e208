"""The version of a publisher's root that the hub's poll names: above the one held, it is looked for at once.

The poll is no proof. A version that it names and that no signed root has is looked for once, and remembered in
HOME/publishers/<domain>/root-named.json; a hub that names one costs no more than a refresh.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from hashshare.client.home import read_json, write_json
from hashshare.client.polling import Head
from hashshare.client.repository import Repository
from hashshare.wire.errors import HashshareError


def is_newer(repository: Repository, head: Head) -> bool:
    """Whether to look for a newer root than the one held."""
    return head.root_version > repository.root_version and head.root_version != _looked_for(repository)


def note(repository: Repository, head: Head) -> None:
    """After a refresh: what was named and is not there is not looked for again."""
    if is_newer(repository, head):
        with contextlib.suppress(OSError):
            write_json(_path(repository), {"version": head.root_version})


def _looked_for(repository: Repository) -> int:
    try:
        return int((read_json(_path(repository)) or {}).get("version", 0))
    except (HashshareError, OSError, TypeError, ValueError):
        return 0


def _path(repository: Repository) -> Path:
    return repository.home.publisher_dir(repository.domain) / "root-named.json"
