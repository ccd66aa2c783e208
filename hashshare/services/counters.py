"""Counting within fixed windows of time, in the cache that all web processes share: requests, failed sign-ins."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache import caches


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
    """Where a request comes from: the address that a proxy of HASHSHARE_TRUSTED_PROXIES names, else the connection's.

    The last name counts, which that proxy itself wrote, and the one before it if the last is such a proxy too. Somebody
    else's proxy is not believed.
    """
    found = str(meta.get("REMOTE_ADDR", ""))
    for named in reversed(str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        if not is_trusted_proxy(found):
            break
        try:
            found = str(ipaddress.ip_address(named.strip()))
        except ValueError:
            break
    return found


def is_trusted_proxy(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.HASHSHARE_TRUSTED_PROXIES)
