"""What a leaf of the publication log says that stands for something a person did at the hub.

The entry hides it, like those of the delivery logs: only who holds the opening can tell who did what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from hashshare.wire.documents import write_time
from hashshare.wire.log.rows import write_row


@dataclass(frozen=True, slots=True)
class DeedRow:
    """`person` (an e-mail address; empty: somebody at the hub's machine) in `role` did `what` to `about`, for `reason`.

    `organisation` is the slug of the person's own, empty for operators. `noted_sha256`: of further words that the hub
    keeps, in hex; of no words when there are none.
    """

    kind: ClassVar[str] = "deed"

    person: str
    role: str
    organisation: str
    what: str
    about: str
    reason: str
    noted_sha256: str
    at: datetime

    def to_row(self) -> str:
        return write_row(
            {
                "kind": self.kind,
                "person": self.person,
                "role": self.role,
                "organisation": self.organisation,
                "what": self.what,
                "about": self.about,
                "reason": self.reason,
                "noted_sha256": self.noted_sha256,
                "at": write_time(self.at),
            }
        )
