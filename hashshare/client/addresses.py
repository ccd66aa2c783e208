"""Which addresses credentials may be sent to: https:// anywhere, plain http:// on this machine only."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from hashshare.wire.errors import InsecureTransport, UsageError


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str) -> str:
    """`url` if credentials may be sent there. Raises UsageError, InsecureTransport (plain http:// off loopback)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is not an https:// address.")
    if parts.username is not None or parts.password is not None:
        raise UsageError("Leave user name and password out of the address.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InsecureTransport(f"{parts.scheme}://{parts.netloc} is plain http:// on a network; nothing was sent.")
    return url


def checked_redirect(target: str, *, hub_url: str, at: str = "") -> str:
    """`target` if the hub may send us there: https:// anywhere, but only a hub on this machine may name this machine.
    It may be relative to the address `at` that was asked.

    The address may be a credential, so errors name its host alone. Raises UsageError, InsecureTransport.
    """
    try:
        target = urljoin(at, target)
        parts = urlsplit(target)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise UsageError("The hub redirects to something that is not an https:// address.")
    here, there = is_loopback(urlsplit(hub_url).hostname or ""), is_loopback(parts.hostname)
    if (parts.scheme == "http" or there) and not (here and there):
        raise InsecureTransport(
            f"The hub redirects to {parts.scheme}://{parts.netloc}, which is "
            f"{'this machine itself' if there else 'plain http://'}; nothing was asked there."
        )
    return target


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a session may be led. `redirected(target, at=..., hub_url=..., asked=...)` is the address to go on at after
    `at` sent us to `target`, `asked` being where it began; it raises where that is not allowed. `reachable`: of each
    network address, as text, whether it may be connected to; None: every one.
    """

    redirected: Callable[..., str]
    reachable: Callable[[str], bool] | None = None


def _as_the_hub_says(target: str, *, at: str, hub_url: str, asked: str) -> str:  # noqa: ARG001 - wherever it began
    return checked_redirect(target, at=at, hub_url=hub_url)


ANYWHERE = Reach(_as_the_hub_says)
"""Of a member, who trusts the hub's word on where its objects lie."""
