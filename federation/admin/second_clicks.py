"""What the second of two clicks reads: what the first has done. Of somebody else, or with other words, it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hashshare.selectors.deeds import done_last


def sent_again(label: str, says: Callable[[Any], str]) -> Callable[[Any, Mapping[str, Any], Any], str]:
    """For `Deed.repeated` of the deed of that label: `says(row)` if it was the last one, by the same person with the
    same reason.
    """

    def told(row: Any, posted: Mapping[str, Any], actor: Any) -> str:
        reason = str(posted.get("reason") or "")
        return says(row) if done_last(row, person=actor, what=label, reason=reason) else ""

    return told
