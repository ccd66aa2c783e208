"""What the checks look at. Reading it makes, mends and locks nothing: a doctor that changes things hides the fault."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hashshare.client.doctor.reach import Reached
from hashshare.client.home import Config, Home
from hashshare.client.store import Held, ListStore
from hashshare.wire.errors import HashshareError


@dataclass(frozen=True, slots=True)
class HeldList:
    """`held` is None where the record of what is held cannot be read."""

    store: ListStore
    name: str
    held: Held | None


@dataclass(frozen=True, slots=True)
class Patient:
    """`config` is None on a machine that is not enrolled. `reached`: what the hub answered without credentials, None
    offline. `account`: its answers to this machine, by path, or the error that it or the network gave instead.
    """

    home: Home
    now: datetime
    config: Config | None
    lists: tuple[HeldList, ...] = ()
    reached: Reached | None = None
    account: dict[str, Any] | HashshareError | None = None

    @property
    def offline(self) -> bool:
        return self.reached is None


def home_of(path: Path | None = None) -> Home:
    """As `Home.open`, without making or changing the folder."""
    chosen = path or Path(os.environ.get("HASHSHARE_HOME") or Path.home() / ".hashshare")
    return Home(chosen.expanduser().absolute())
