"""Having this hub's own public checkpoints cosigned: by every active peer, and by other witnesses that are named.

One that cannot be reached, or refuses, keeps no other from being asked, and nothing from being shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from federation.models import Cosigning, Peer
from federation.selectors.peers import peers_in_force
from federation.services.connections import session_with
from hashshare.client.session import Session
from hashshare.models import Log
from hashshare.peering_keys import peer_key
from hashshare.selectors.logs import tile_reader
from hashshare.services.cosigning import keep_cosignatures
from hashshare.services.problems import problem_document
from hashshare.services.runs import spared
from hashshare.wire.errors import BadSignature, Conflict, HashshareError, HubFailure, NetworkError, TooManyRequests
from hashshare.wire.log.checkpoints import NUMBER, Checkpoint
from hashshare.wire.log.cosignatures import Cosigner, cosignatures
from hashshare.wire.log.notes import read_note
from hashshare.wire.log.policies import Policy
from hashshare.wire.log.trees import Tree
from hashshare.wire.log.witnessing import AddCheckpoint

RENEWED: Final = timedelta(hours=1)
"""After which a checkpoint that still stands is cosigned again: members count by the time in the cosignature."""

LEFT_ALONE: Final = timedelta(minutes=10)
"""For which a witness that did not answer is not asked again."""

MAX_ANSWER: Final = 16 * 1024
OUT_OF_REACH: Final = (NetworkError, HubFailure, TooManyRequests)


@dataclass(slots=True)
class Witness:
    """One that is asked. `prefix` is what its `add-checkpoint` is below."""

    cosigner: Cosigner
    session: Session
    prefix: str
    silent: bool = field(default=False)

    @property
    def vkey(self) -> str:
        return self.cosigner.to_text()


def cosigner_of(peer: Peer) -> Cosigner:
    """A peer as a witness, under the name that its descriptor implies."""
    return Cosigner(f"{peer.name}/witness", bytes(peer.witness_key))


def witnesses() -> list[Witness]:
    """The active peers, and those of HASHSHARE_WITNESSES. Raises UsageError when that setting cannot be read."""
    found = [Witness(cosigner_of(peer), session_with(peer), "/witness") for peer in peers_in_force()]
    for named in Policy.parse(f"{settings.HASHSHARE_WITNESSES}\nquorum none\n").witnesses.values():
        if named.url and named.cosigner not in {witness.cosigner for witness in found}:
            prefix = named.url.rstrip("/")
            found.append(Witness(named.cosigner, Session(prefix, key=peer_key().private), prefix))
    return found


def have_cosigned(*, now: datetime) -> int:
    """Ask every witness about each public checkpoint that it has not cosigned, or not within the hour; how many
    cosignatures came.
    """
    asked = witnesses()
    known, count = [witness.cosigner for witness in asked], 0
    for witness in asked:
        witness.silent = _was_silent(witness, now)
    for log in Log.objects.exclude(published_at=None).order_by("pk"):
        with spared("The log %s could not be cosigned.", log):
            count += sum(_ask(log, witness, known, now) for witness in asked if not witness.silent)
    return count


def _was_silent(witness: Witness, now: datetime) -> bool:
    rows = Cosigning.objects.filter(witness=witness.vkey, asked_at__gt=now - LEFT_ALONE)
    return rows.filter(trouble__out_of_reach=True).exists()


def _ask(log: Log, witness: Witness, known: Sequence[Cosigner], now: datetime) -> int:
    """1 when it cosigned. What went wrong stands in the row."""
    row, _ = Cosigning.objects.get_or_create(log=log, origin=log.origin, witness=witness.vkey)
    checkpoint = log.public_checkpoint
    if row.checkpoint == checkpoint and row.cosigned_at is not None and now - row.cosigned_at < RENEWED:
        return 0
    rows = Cosigning.objects.filter(pk=row.pk)
    try:
        line = _cosigned(log, checkpoint, witness, row.size, rows)
        keep_cosignatures(log_id=log.pk, checkpoint=checkpoint, lines=[line], by=known, now=now)
    except HashshareError as error:
        witness.silent = isinstance(error, OUT_OF_REACH)
        rows.update(asked_at=now, trouble={**problem_document(error), "out_of_reach": witness.silent})
        return 0
    size = Checkpoint.parse(read_note(checkpoint)[0]).size
    rows.update(size=size, checkpoint=checkpoint, asked_at=now, cosigned_at=now, trouble=None)
    return 1


def _cosigned(log: Log, checkpoint: str, witness: Witness, size: int, rows: QuerySet[Cosigning]) -> str:
    """The lines that the witness answers with, from the size it knows; told another, it is asked once more from that.

    Raises Conflict when it knows more than the public is shown here, or another root.
    """
    offered = Checkpoint.parse(read_note(checkpoint)[0])
    old = min(size, offered.size)
    answer = _offer(log, offered, checkpoint, witness, old)
    if isinstance(answer, int) and old != answer <= offered.size:
        rows.update(size=answer)
        answer = _offer(log, offered, checkpoint, witness, answer)
    if isinstance(answer, int):
        raise Conflict(f"{witness.cosigner.name} has seen {answer} leaves of {log}, which do not begin what is here.")
    if not cosignatures(checkpoint + answer, [witness.cosigner]):
        raise BadSignature(f"{witness.cosigner.name} did not answer with its cosignature.")
    return answer


def _offer(log: Log, offered: Checkpoint, checkpoint: str, witness: Witness, old: int) -> str | int:
    """The witness's lines, or the size that it knows instead. Raises what its refusal means."""
    proof = Tree(offered.size, tile_reader(log)).consistency_proof(old) if old else []
    body = AddCheckpoint(old, tuple(proof), checkpoint).to_text().encode()
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    answer = witness.session.ask("POST", f"{witness.prefix}/add-checkpoint", body=body, headers=headers, told=409)
    text = answer.content[: MAX_ANSWER + 1].decode("utf-8", "replace")
    if len(text) > MAX_ANSWER:
        raise BadSignature(f"{witness.cosigner.name} answers with more than {MAX_ANSWER} bytes.")
    if answer.status_code != 409:
        return text
    if not NUMBER.fullmatch(text.removesuffix("\n")):
        raise Conflict(f"{witness.cosigner.name} refuses the checkpoint and does not say which it knows.")
    return int(text)
