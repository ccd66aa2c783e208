"""Who of other hubs may call what."""

from __future__ import annotations

from typing import Final

from hashshare.api.permissions import EVERY_DOOR, SIGNED, Who

HUBS: Final = Who("Hubs that are peers, by any door. Each sees what is its own.", EVERY_DOOR, frozenset({"hub"}))
SIGNING_HUBS: Final = Who("Hubs that are peers, by a signed request.", SIGNED, frozenset({"hub"}))
