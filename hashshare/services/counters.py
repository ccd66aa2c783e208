"""Counting within fixed windows of time, in the cache that all web processes share: requests, failed sign-ins."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from django.core.cache import caches

LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


def count(key: str, *, kept: int) -> int:
    """One more under `key`; how many there are. Forgotten `kept` seconds after the first."""
    counters = caches["limits"]
    counters.add(key, 0, timeout=kept)
    try:
        return counters.incr(key)
    except ValueError:  # evicted between the two calls
        counters.set(key, 1, timeout=kept)
        return 1


def counted(key: str) -> int:
    """How many there are, without counting."""
    return int(caches["limits"].get(key, 0))


def network_address(meta: Mapping[str, Any]) -> str:
    """Where a request comes from: the address that a proxy on this machine names, else the connection's own.

    Only the last name counts, which the proxy itself wrote. Somebody else's proxy is not believed.
    """
    own = str(meta.get("REMOTE_ADDR", ""))
    named = str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()
    if own not in LOOPBACK or not named:
        return own
    try:
        return str(ipaddress.ip_address(named))
    except ValueError:
        return own
