"""Where objects' bytes lie: in a folder, or in a bucket of S3-compatible storage. Which of them, the settings say.

Nothing here knows who may read what, and nothing is parsed. Both are laid out as TUF targets are named
(`<list-id>/<sha256>.<name>`), so that either is itself a mirror and one is moved to the other by copying.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from hashshare.storage.bucket import BucketStore
from hashshare.storage.folder import FolderStore
from hashshare.storage.place import BucketPlace
from hashshare.storage.store import ObjectStore


def object_store() -> ObjectStore:
    """The hub's one store."""
    place = settings.HASHSHARE_S3
    if place is None:
        return FolderStore(Path(settings.HASHSHARE_OBJECTS), settings.HASHSHARE_SENDFILE_PREFIX)
    return _bucket_store(place)


@cache
def _bucket_store(place: BucketPlace) -> BucketStore:
    """One for the process: it keeps its connections."""
    return BucketStore(place)


__all__ = ["ObjectStore", "object_store"]
