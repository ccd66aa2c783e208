"""What this hub says of itself to everyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings

from hashshare.hub_keys import hub_keys
from hashshare.log_keys import log_key


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`keys` are the TUF public key dictionaries of the hub's online and standby keys, in this order; `log_key` is the
    raw Ed25519 public key under which all logs of this hub are signed.
    """

    name: str
    url: str
    version: str
    time: datetime
    keys: tuple[dict[str, Any], dict[str, Any]]
    log_key: bytes


def descriptor(*, now: datetime) -> Descriptor:
    keys = hub_keys().public
    return Descriptor(
        settings.HASHSHARE_NAME,
        settings.HASHSHARE_PUBLIC_URL,
        installed_version(),
        now,
        (keys[0], keys[1]),
        log_key().public,
    )


def installed_version() -> str:
    """Of the distribution, or 0 in a tree that was never installed."""
    try:
        return version("hashshare")
    except PackageNotFoundError:
        return "0"
