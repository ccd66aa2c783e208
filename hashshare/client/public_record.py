"""What the hub's publication log says of a publisher: the times that its root was replaced without the old one's
signature, and each time that it moved to another hub. Every entry is read and the tree built from them; nothing that
the hub says otherwise is believed. Where cosignatures are required, the log read must be the one that was cosigned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hashshare.client.cosigned import cosigned_notes, lacking_in, quorum_at
from hashshare.client.session import Session
from hashshare.client.witnesses import Required
from hashshare.wire.documents import write_time
from hashshare.wire.errors import LogForked, MalformedLog, NotFound, WrongProof
from hashshare.wire.log import (
    ENTRIES,
    WIDTH,
    Checkpoint,
    RootReplaced,
    TakenOver,
    Verifier,
    cosignatures,
    leaf_hash,
    open_checkpoint,
    read_entries,
    roots_at,
    tile_path,
    width_at,
)
from hashshare.wire.log.successions import first_origin, number_of

NAME: Final = "publication"
LOG: Final = f"/log/{NAME}"


@dataclass(slots=True)
class PublicRecord:
    """Oldest first, as far as the public log is sealed. `checkpoint` is how far it was read.

    `by`: names of the witnesses that cosigned a beginning of it, as required, at `at`; `unwitnessed` says why too few
    did, "" where enough did or none are required.
    """

    checkpoint: Checkpoint
    replaced: list[RootReplaced] = field(default_factory=list)
    moved: list[TakenOver] = field(default_factory=list)
    by: tuple[str, ...] = ()
    at: datetime | None = None
    unwitnessed: str = ""

    def note(self, entry: bytes, publisher: str) -> None:
        replaced, moved = RootReplaced.read(entry), TakenOver.read(entry)
        if replaced is not None and replaced.publisher == publisher:
            self.replaced.append(replaced)
        if moved is not None and moved.publisher == publisher:
            self.moved.append(moved)


def public_record(session: Session, domain: str, *, key: bytes, wanted: Required, now: datetime) -> PublicRecord:
    """`key`: the raw one of all logs of the hub.

    Raises LogForked when what enough witnesses cosigned is not the beginning of what is shown here; WrongProof,
    BadSignature, MalformedLog, NetworkError; NotFound, NotEntitled from a hub that shows none.
    """
    cosigned = _cosigned(session) if wanted.wanted else []  # before the checkpoint, which is then no older
    note = bytes(session.get(f"{LOG}/checkpoint").content).decode("utf-8", errors="replace")
    shown = _opened(note, key)
    record, witnessed = PublicRecord(shown), None
    if wanted.wanted:
        witnessed = _witnessed(record, [*cosigned, note], key, wanted, now)
    if witnessed is not None and witnessed.size > shown.size:
        record.checkpoint = witnessed  # some cache has an older one; both must fit
    sizes = {shown.size, record.checkpoint.size, witnessed.size if witnessed else 0}
    roots = roots_at((leaf_hash(entry) for entry in _noted(session, record, domain)), sizes)
    if roots.get(shown.size) != shown.root:
        raise WrongProof("The entries of the hub's publication log are not those that it signed.")
    if witnessed is not None and roots.get(witnessed.size) != witnessed.root:
        raise LogForked(
            f"The hub's publication log as it is shown here is another than {', '.join(record.by)} cosigned at "
            f"{witnessed.size} leaves."
        )
    return record


def _opened(note: str, key: bytes) -> Checkpoint:
    origin = note.partition("\n")[0]
    if not first_origin(origin).endswith(LOG):
        raise WrongProof("The hub's checkpoint is not one of its publication log.")
    return open_checkpoint(note, Verifier(origin, key), origin=origin)


def _cosigned(session: Session) -> list[str]:
    try:
        return cosigned_notes(session, NAME)
    except NotFound:
        return []  # a hub of another make, which shows cosignatures under its newest alone


def _witnessed(
    record: PublicRecord, notes: list[str], key: bytes, wanted: Required, now: datetime
) -> Checkpoint | None:
    """The newest that enough witnesses cosigned; what stands against it is noted."""
    origin, names = record.checkpoint.origin, wanted.policy.cosigners
    for note in notes:
        if note.partition("\n")[0] != origin:
            continue
        found, made = _opened(note, key), cosignatures(note, names)
        at = quorum_at(made, wanted.policy, now)
        if at is not None:
            record.by, record.at = tuple(sorted(names[one.cosigner] for one in made)), at
            late = now - at > wanted.within
            record.unwitnessed = f"the witnesses you require cosigned it last at {write_time(at)}" if late else ""
            return found
    record.unwitnessed = lacking_in(notes, wanted.policy, origin)
    return None


def _noted(session: Session, record: PublicRecord, domain: str) -> Iterator[bytes]:
    for entry in _entries(session, record.checkpoint):
        record.note(entry, domain)
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
