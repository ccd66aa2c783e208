"""The major role's metadata and documents as they were accepted, kept for a hub that loses them (client.resending).

Members read them once and keep none; nobody but the publisher has them then. HOME/publisher/<domain>/signed-majors/ has
major.json and the documents by digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from hashshare.client.drafts import Upload
from hashshare.client.home import make_private_folder, write_atomic
from hashshare.client.publisher import OwnPublisher
from hashshare.wire.repository import major_documents
from hashshare.wire.repository.metadata import MAJOR


def keep_documents(mine: OwnPublisher, documents: Iterable[Upload]) -> None:
    """Before they are handed in: one that is then refused does no harm here."""
    for item in documents:
        write_atomic(_path(mine, item.ref.sha256), item.body)


def keep_metadata(mine: OwnPublisher, body: bytes) -> None:
    """Once the hub has accepted it."""
    write_atomic(_path(mine, MAJOR), body)


def signed_major(mine: OwnPublisher) -> bytes | None:
    """The newest that was accepted; None before the first."""
    path = _path(mine, MAJOR)
    return path.read_bytes() if path.exists() else None


def documents_of(mine: OwnPublisher, body: bytes) -> Iterator[Upload]:
    """Those that it names and that are here."""
    for ref in major_documents(body).values():
        path = _path(mine, ref.sha256)
        if path.exists():
            yield Upload(ref, body=path.read_bytes())


def _path(mine: OwnPublisher, name: str) -> Path:
    return make_private_folder(mine.folder / "signed-majors") / f"{name}.json"
