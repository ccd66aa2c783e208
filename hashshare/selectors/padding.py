"""Padding: leaves that stand for nothing. No row keeps them; the log key gives their openings again."""

from __future__ import annotations

from hashshare.log_keys import log_key
from hashshare.models import Log
from hashshare.wire.log.leaves import Opening, padding_nonce
from hashshare.wire.log.rows import PaddingRow


def padding_opening(log: Log, index: int) -> Opening:
    """What the opening of the leaf is, if it is padding."""
    return Opening(padding_nonce(log_key().padding, origin=log.origin, index=index), PaddingRow(index).to_row())
