"""Being a witness (C2SP tlog-witness): cosigning peers' checkpoints, each only if it extends the one cosigned before.

The row of a log is locked from reading what was cosigned last until the new state is written, and written before the
cosignature leaves: of two requests at once, the second is judged by what the first left. A hub that was restored from a
backup has lost rows that were written since, so the key that cosigned by them never cosigns again (docs/adr/0019).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from federation.models import Finding, Peer, WitnessedLog
from federation.selectors.witness import cosigning_key, peer_of_log
from federation.services.findings import record_finding
from hashshare.peering_keys import PeeringKey, witness_name
from hashshare.selectors.recovery import refuse_restored
from hashshare.wire.errors import BadSignature, HashshareError, LogForked, NotAllowed, WrongProof
from hashshare.wire.log.checkpoints import Checkpoint, open_checkpoint
from hashshare.wire.log.cosignatures import cosign
from hashshare.wire.log.merkle import EMPTY_ROOT
from hashshare.wire.log.notes import Verifier, read_note, signature_line
from hashshare.wire.log.witnessing import AddCheckpoint, check_step

MOST_LOGS: Final = 2_000
"""Of one peer: no hub has so many publishers, and the names are the peer's to choose."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request is refused for, and whether two signed checkpoints of one size contradict one another."""

    error: HashshareError
    known: str = ""
    forked: bool = False


def add_checkpoint(*, asked: AddCheckpoint, now: datetime) -> str:
    """The line with this hub's cosignature.

    Raises NotFound for a log that is not witnessed here, NotAllowed when no key that is known signed the checkpoint,
    Conflict for another old size (`size` is the one known), LogForked for another root at the same size, WrongProof,
    MalformedLog; HubRestored until `recover` after a restore, and for a key that this retired.
    """
    refuse_restored()
    key = cosigning_key()
    text, _ = read_note(asked.note)
    peer = peer_of_log(text.partition("\n")[0])
    offered = _opened(asked.note, peer, text)
    note = _bare(asked.note, peer, offered.origin)
    done = _judge_and_keep(peer, asked, offered, note, key, now)
    if isinstance(done, Refusal):
        if done.forked:
            _record_fork(peer, offered, known=done.known, note=note, now=now)
        raise done.error
    return done


def _opened(note: str, peer: Peer, text: str) -> Checkpoint:
    origin = text.partition("\n")[0]
    try:
        return open_checkpoint(note, Verifier(origin, bytes(peer.log_key)), origin=origin)
    except BadSignature as fault:
        raise NotAllowed("No key that this witness knows for the log signed that checkpoint.") from fault


def _bare(note: str, peer: Peer, origin: str) -> str:
    """The checkpoint with the log's own signature alone: what others put beneath is not ours to keep."""
    verifier = Verifier(origin, bytes(peer.log_key))
    text, signatures = read_note(note)
    own = next(raw for name, raw in signatures if (name, raw[:4]) == (origin, verifier.key_hash))
    return f"{text}\n{signature_line(origin, own)}"


@transaction.atomic
def _judge_and_keep(
    peer: Peer, asked: AddCheckpoint, offered: Checkpoint, note: str, key: PeeringKey, now: datetime
) -> str | Refusal:
    row = _locked(peer, offered.origin)
    if isinstance(row, Refusal):
        return row
    known = Checkpoint(row.origin, row.size, bytes(row.root))
    try:
        check_step(known, asked, offered)
    except HashshareError as error:
        if known.size == offered.size and known.root != offered.root:
            return Refusal(error, known=row.checkpoint, forked=True)
        if isinstance(error, WrongProof | LogForked):
            row.disputed, row.disputed_at = note, now
            row.save(update_fields=["disputed", "disputed_at"])
        return Refusal(error)
    at = int(now.timestamp())
    made = cosign(offered.to_text(), name=witness_name(), key=key.private, at=at)
    row.size, row.root, row.checkpoint, row.cosigned_at = offered.size, offered.root, note, now
    row.save(update_fields=["size", "root", "checkpoint", "cosigned_at"])
    return made.line


def _locked(peer: Peer, origin: str) -> WitnessedLog | Refusal:
    """The log's row, made when there is none, and locked; two that make it at once wait for one another."""
    rows = WitnessedLog.objects.select_for_update()
    row = rows.filter(origin=origin).first()
    if row is not None:
        return row
    if WitnessedLog.objects.filter(peer=peer).count() >= MOST_LOGS:
        return Refusal(NotAllowed(f"At most {MOST_LOGS} logs of one hub are witnessed here."))
    try:
        with transaction.atomic():
            WitnessedLog.objects.create(peer=peer, origin=origin, size=0, root=EMPTY_ROOT)
    except IntegrityError:
        return rows.get(origin=origin)
    return rows.get(origin=origin)


def _record_fork(peer: Peer, offered: Checkpoint, *, known: str, note: str, now: datetime) -> None:
    record_finding(
        peer=peer,
        kind=Finding.Kind.SPLIT_VIEW,
        subject=offered.origin,
        detail=f"{peer.name} signed two checkpoints of {offered.size} leaves with different roots: the one that was "
        "cosigned here, and one for which a cosignature was asked afterwards.",
        documents={"cosigned.txt": known, "offered.txt": note},
        now=now,
    )
