"""The client home of a peer, brought back where this machine's was lost or never was: out of rows and the object store.

With it what comes is held against what is served here, as a member holds it against what it has: no rollback, no fork,
no large loss passes because a worker moved to another machine, or a backup was restored.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.models import MirroredPublisher
from hashshare.client import trust
from hashshare.client.held import HeldObject
from hashshare.client.home import Home, make_private_folder, write_atomic
from hashshare.client.planning import record, wanted
from hashshare.client.store import ListStore
from hashshare.models import HashList, Metadata, StoredObject
from hashshare.selectors.objects import MANIFEST
from hashshare.services.manifests import checked_bytes, object_path
from hashshare.wire import errors
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef

BLOCK: Final = 1 << 20
GENERATION: Final = "generation"


def ready_home(home: Home, mirror: MirroredPublisher, *, now: datetime) -> None:
    """Hold the publisher to the root that this hub chose, with what is served here as what is held.

    What the home holds from before an operator let the publisher be followed afresh is dropped.
    """
    domain = mirror.publisher.domain
    folder = home.publisher_dir(domain)
    marker, known = folder / GENERATION, trust.publisher(home, domain)
    chosen = f"{mirror.generation} {mirror.root}"
    if known is not None and _read(marker) == chosen:
        return
    if known is not None:
        trust.forget_publisher(home, known)
    trust.save_publisher(home, trust.Publisher(domain, "", mirror.root))
    if mirror.generation == mirror.served_generation:
        with contextlib.suppress(errors.MissingObject, errors.WrongDigest):
            # Without its objects it begins from nothing; versions are still held against the rows (storing.py).
            _bring_back(home, mirror, now)
    write_atomic(marker, chosen.encode())


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _bring_back(home: Home, mirror: MirroredPublisher, now: datetime) -> None:
    rows = list(Metadata.objects.filter(publisher=mirror.publisher).order_by("role", "version"))
    if not any(row.role == "timestamp" for row in rows):
        return
    domain = mirror.publisher.domain
    folder = make_private_folder(trust.metadata_dir(home, domain))
    make_private_folder(folder / "root_history")
    for row in rows:
        if row.role == "root":
            write_atomic(folder / "root_history" / f"{row.version}.root.json", row.content)
        write_atomic(folder / f"{row.role}.json", row.content)  # the newest of a role comes last
    trust.remember_publisher(home, domain, next(row.content for row in rows if row.role == "root"))
    lists = HashList.objects.select_related("publisher").filter(publisher=mirror.publisher, version__gt=0)
    for hash_list in lists:
        _bring_back_list(home, hash_list, now)


def _bring_back_list(home: Home, hash_list: HashList, now: datetime) -> None:
    """Raises MissingObject, WrongDigest."""
    store, list_id = ListStore(home, hash_list.tuf_id), hash_list.tuf_id
    row = StoredObject.objects.get(list=hash_list, name=MANIFEST, digest=hash_list.manifest_digest)
    body = checked_bytes(ObjectRef(f"{list_id}/{row.name}", row.length, row.digest))
    manifest = Manifest.parse(body)
    index_body = checked_bytes(manifest.base.index)
    index = BaseIndex.parse(index_body)
    want = wanted(manifest, None, base_index=index, has=lambda _: False, history=False, whole=True)
    held = record(manifest, want, sha256=hash_list.manifest_digest, role_version=hash_list.role_version, now=now)
    make_private_folder(store.folder)
    for part in dict.fromkeys(held.objects):
        _place(store, part)
    store.adopt(held, body, index_body)


def _place(store: ListStore, part: HeldObject) -> None:
    """A copy of the object, its digest checked on the way."""
    make_private_folder(store.objects_folder)
    path, seen = store.part_path(part.sha256), hashlib.sha256()
    with path.open("wb") as file:
        for block in _blocks(object_path(part.ref)):
            seen.update(block)
            file.write(block)
    if seen.hexdigest() != part.sha256:
        path.unlink()
        raise errors.WrongDigest(f"{part.path} is damaged in the object store.", path=part.path)
    store.place(path, part.sha256)


def _blocks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
