"""Padding: leaves that stand for nothing. No row keeps them; the log key gives their openings again."""

from __future__ import annotations

from hashshare.log_keys import log_key
from hashshare.models import Log
from hashshare.wire.log.leaves import Opening, padding_nonce
from hashshare.wire.log.rows import PaddingRow


def padding_opening(log: Log, index: int) -> Opening:
    """What the opening of the leaf is, if it is padding."""
    origin = origin_at(log, index)
    return Opening(padding_nonce(log_key().padding, origin=origin, index=index), PaddingRow(index).to_row())


def origin_at(log: Log, index: int) -> str:
    """The name under which the log was filled up to there. A leaf that was lost and the one in its place must not be
    padding with the same nonce: whoever saw both would know that they are.
    """
    return next((str(closed["origin"]) for closed in log.predecessors if index < closed["size"]), log.origin)
