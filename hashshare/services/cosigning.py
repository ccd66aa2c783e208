"""Keeping what witnesses cosigned of this hub's public checkpoints. Each cosignature stays with the very checkpoint
that it is under, as one note: so it cannot be shown with another.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from hashshare.log_keys import log_key
from hashshare.models import Log
from hashshare.wire.errors import WrongProof
from hashshare.wire.log.checkpoints import Checkpoint, open_checkpoint
from hashshare.wire.log.cosignatures import Cosignature, Cosigner, cosignatures
from hashshare.wire.log.notes import Verifier

MOST: Final = 16
"""Notes that are kept of a log: as many witnesses may each be the only one that knows some checkpoint."""

KEPT: Final = timedelta(days=2)
"""How long an older checkpoint is kept for a witness that has not cosigned a newer one."""


@transaction.atomic
def keep_cosignatures(
    *, log_id: int, checkpoint: str, lines: Iterable[str], by: Iterable[Cosigner], now: datetime
) -> int:
    """Put the cosignatures of `by` among `lines` under the public checkpoint that they are of, a note as it was shown;
    how many it has then. Others' lines, and those of witnesses that are none any more, are left out.

    Raises BadSignature when a line of theirs does not verify, or the hub never signed the checkpoint; WrongProof when
    it is of another log, or was never shown.
    """
    log = Log.objects.select_for_update(no_key=True, of=("self",)).get(pk=log_id)
    known = list(by)
    ours = open_checkpoint(checkpoint, Verifier(log.origin, log_key().public), origin=log.origin)
    if ours.size > log.public_size:
        raise WrongProof(f"{log} was never shown at {ours.size} leaves.")
    held = next((note for note in log.cosigned if note.startswith(checkpoint)), checkpoint)
    fresh = cosignatures(held + "".join(lines), known)
    if not fresh:
        return 0
    notes = [note for note in log.cosigned if not note.startswith(checkpoint)]
    notes.append(checkpoint + "".join(made.line for made in fresh))
    log.cosigned = worth_keeping(notes, known, now)
    log.save(update_fields=["cosigned"])
    return len(fresh)


def worth_keeping(notes: Iterable[str], by: Iterable[Cosigner], now: datetime) -> list[str]:
    """The newest first; of older ones those with a witness that no newer one has."""
    known, seen, kept = list(by), set[Cosigner](), list[str]()
    for note in sorted(notes, key=size_of, reverse=True):
        found = [made for made in cosignatures(note, known) if _is_recent(made, now) or not kept]
        if {made.cosigner for made in found} - seen:
            seen |= {made.cosigner for made in found}
            kept.append(note)
    return kept[:MOST]


def size_of(note: str) -> int:
    return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n").size


def _is_recent(made: Cosignature, now: datetime) -> bool:
    return now.timestamp() - made.at < KEPT.total_seconds()
