"""What the hub's publication log says of a publisher's root: the times that it was replaced without the old one's
signature. Every entry is read and the tree built from them; nothing that the hub says otherwise is believed.
"""

from __future__ import annotations

from collections.abc import Iterator

from hashshare.client.session import Session
from hashshare.wire.errors import MalformedLog, WrongProof
from hashshare.wire.log import (
    ENTRIES,
    WIDTH,
    Checkpoint,
    RootReplaced,
    Verifier,
    leaf_hash,
    open_checkpoint,
    read_entries,
    root_of,
    tile_path,
    width_at,
)
from hashshare.wire.log.successions import first_origin, number_of

LOG = "/log/publication"


def replacements(session: Session, domain: str, *, key: bytes) -> list[RootReplaced]:
    """Oldest first, as far as the public log is sealed. `key`: the raw one of all logs of the hub.

    Raises WrongProof, BadSignature, MalformedLog, NetworkError; NotFound, NotEntitled from a hub that shows none.
    """
    note = bytes(session.get(f"{LOG}/checkpoint").content).decode("utf-8", errors="replace")
    origin = note.partition("\n")[0]
    if not first_origin(origin).endswith(LOG):
        raise WrongProof("The hub's checkpoint is not one of its publication log.")
    found = open_checkpoint(note, Verifier(origin, key), origin=origin)
    told: list[RootReplaced] = []
    if root_of(leaf_hash(entry) for entry in _noted(session, found, domain, told)) != found.root:
        raise WrongProof("The entries of the hub's publication log are not those that it signed.")
    return told


def _noted(session: Session, log: Checkpoint, domain: str, told: list[RootReplaced]) -> Iterator[bytes]:
    for entry in _entries(session, log):
        replaced = RootReplaced.read(entry)
        if replaced is not None and replaced.publisher == domain:
            told.append(replaced)
        yield entry


def _entries(session: Session, log: Checkpoint) -> Iterator[bytes]:
    number = number_of(log.origin)
    place = LOG if number == 1 else f"{LOG}/{number}"
    for index in range(-(-log.size // WIDTH)):
        width = width_at(log.size, ENTRIES, index)
        body = bytes(session.get(f"{place}/{tile_path(ENTRIES, index, width)}").content)
        entries = read_entries(body, width=width)
        if len(entries) != width:
            raise MalformedLog("The hub's publication log leaves entries out.")
        yield from entries
