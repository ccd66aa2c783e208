"""Whether the disk has room for what a sync is to bring, said before anything is fetched."""

from __future__ import annotations

import shutil
from typing import Final

from hashshare.client.planning import Want
from hashshare.client.store import ListStore
from hashshare.wire.errors import HashshareError

SPARE_BYTES: Final = 64 << 20
"""Disk to work in, at most: as much as what comes, so that a small delta, which may withdraw, is not kept out."""


def check_room(store: ListStore, want: Want, *, name: str) -> None:
    """What is made may have to be fetched after all, and takes as much room either way. Raises HashshareError."""
    made = {merge.merged for merge in want.merges} | set(want.renewal.shards if want.renewal else ())
    total = sum(item.length for item in {*want.fetched, *made} if not store.has(item))
    parts = sum(path.stat().st_size for path in store.objects_folder.glob("*.part"))
    left = max(0, total - parts)
    needed = left + min(SPARE_BYTES, left)
    free = shutil.disk_usage(store.folder).free
    if needed > free:
        raise HashshareError(
            f"{name} needs {needed:,} bytes, {left:,} of them for its objects; {store.folder} has {free:,} free.",
            next_step="Make room, or move HASHSHARE_HOME. The last good state stays in use.",
        )
