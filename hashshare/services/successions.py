"""Openly superseding a log whose end was lost, so that it is continued under another name and nobody is told that
nothing happened.

The tree stays: the successor begins with every leaf that the hub still has, in its place, so openings and proofs of
these go on to hold. What is new is the name, because the old one had signed more than there is now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from hashshare.log_keys import log_key
from hashshare.models import Log
from hashshare.selectors.logs import shown_checkpoint, tile_reader
from hashshare.wire import errors
from hashshare.wire.log.checkpoints import Checkpoint, sign_checkpoint
from hashshare.wire.log.frontier import Frontier
from hashshare.wire.log.successions import Succession, next_origin, sign_succession
from hashshare.wire.log.trees import Tree


@dataclass(frozen=True, slots=True)
class Superseded:
    """`size` leaves of the log `origin` are the beginning of `successor`."""

    origin: str
    successor: str
    size: int


def supersede_logs(*, now: datetime) -> list[Superseded]:
    """Every log of this hub, in the caller's transaction."""
    return [supersede_log(pk, now=now) for pk in Log.objects.order_by("pk").values_list("pk", flat=True)]


@transaction.atomic
def supersede_log(log_id: int, *, now: datetime) -> Superseded:
    """Close the log's name with a signed statement, and sign what there is under the next one.

    Those entitled get a statement about all that is sealed; the public one about what it had been shown, as any other
    number would tell it how much goes on. Raises MalformedLog when the tiles are not those that were signed.
    """
    log = Log.objects.select_for_update(no_key=True).get(pk=log_id)
    frontier, key = Frontier(log.size, tile_reader(log)), log_key().private
    if frontier.root() != bytes(log.root):
        raise errors.MalformedLog(f"The tiles of {log} do not lead to the root that was signed at {log.size} leaves.")
    old, new = log.origin, next_origin(log.origin)
    shown = Tree(log.public_size, tile_reader(log)).root()
    closed: dict[str, Any] = {
        "origin": old,
        "size": log.size,
        "public_size": log.public_size,
        "public_checkpoint": shown_checkpoint(log),
        "statement": sign_succession(Succession(old, log.size, bytes(log.root), new, now), key=key),
        "public_statement": sign_succession(Succession(old, log.public_size, shown, new, now), key=key),
    }
    log.predecessors = [*log.predecessors, closed]
    log.origin = new
    log.checkpoint = sign_checkpoint(Checkpoint(new, log.size, bytes(log.root)), key=key)
    log.public_checkpoint = sign_checkpoint(Checkpoint(new, log.public_size, shown), key=key)
    log.cosigned = []
    log.save(update_fields=["predecessors", "origin", "checkpoint", "public_checkpoint", "cosigned"])
    return Superseded(old, new, log.size)
