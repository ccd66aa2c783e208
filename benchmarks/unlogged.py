"""The hub's application, but that it records no delivery: neither the row nor its leaf in the log. What recording adds
to a request is the difference.

For measuring only. A hub cannot be told to do so.
"""

from __future__ import annotations

from datetime import datetime

from config.wsgi import application
from hashshare.api import targets
from hashshare.selectors.callers import Caller
from hashshare.selectors.objects import TargetObject

__all__ = ["application"]


def record_no_delivery(*, caller: Caller, target: TargetObject, now: datetime) -> None:
    """Nothing is asked of the database, nor written there."""


vars(targets)["record_delivery"] = record_no_delivery
