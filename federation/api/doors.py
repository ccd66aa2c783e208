"""Who of other hubs may call what."""

from __future__ import annotations

from typing import Final

from hashshare.api.permissions import SIGNED, Who

HUBS: Final = Who(
    "Hubs that are peers, by a signed request or the token of one. Each sees what is its own.",
    frozenset({"signature", "token"}),
    frozenset({"hub"}),
)
SIGNING_HUBS: Final = Who("Hubs that are peers, by a signed request.", SIGNED, frozenset({"hub"}))
