"""What a publisher's own key has signed: the digest of each version's manifest, for audits to compare with.

A version is noted when it is synced here; those that came and went between two syncs are lacking.
"""

from __future__ import annotations

import re
from typing import Final

from hashshare.client.home import make_private_folder
from hashshare.client.publisher import OwnList
from hashshare.client.store import Held

_LINE: Final = re.compile(r"(\d+) ([0-9a-f]{64})")


def note_published(own: OwnList, held: Held) -> None:
    """Add the held version unless it is the last one noted."""
    path = own.publisher.published_path(own.list_id)
    line = f"{held.version} {held.manifest_sha256}\n"
    if _last_line(own) != line:
        make_private_folder(path.parent)
        with path.open("a", encoding="ascii") as file:
            file.write(line)


def _last_line(own: OwnList) -> str:
    path = own.publisher.published_path(own.list_id)
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 100))
        return next(reversed(file.read().decode("ascii", "replace").splitlines(keepends=True)), "")


def published(own: OwnList) -> dict[int, str]:
    """Version -> digest; lines that are not whole are passed over."""
    path = own.publisher.published_path(own.list_id)
    if not path.exists():
        return {}
    found = (_LINE.fullmatch(line) for line in path.read_text(encoding="ascii", errors="replace").splitlines())
    return {int(match[1]): match[2] for match in found if match}
