"""Which addresses this hub asks on another hub's word. What a peer says must not lead it into a network of its own.

A peer is asked at its accepted address alone. It may send us elsewhere for objects, whose digests are signed, and only
to hosts that the operator named for it. Whatever a name stands for, the network address is asked about before it is
connected to, and that very address is connected to: a name that means another machine a moment later leads nowhere.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from federation.models import Peer
from hashshare.client.addresses import Reach, checked_redirect, is_loopback
from hashshare.wire import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

OBJECTS: Final = ("/api/v1/tuf/", "/targets/")
"""What begins and what is in the path of an object."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address."""


def reach_of(peer: Peer) -> Reach:
    """Where requests to the peer may be led."""
    storage = frozenset(map(str, peer.storage))

    def redirected(target: str, *, at: str, hub_url: str, asked: str) -> str:
        onward = checked_redirect(target, at=at, hub_url=hub_url)
        if _origin(onward) == _origin(hub_url):
            return onward
        if _is_object(asked, hub_url) and urlsplit(onward).netloc in storage:
            return onward
        raise errors.AddressRefused(
            f"{peer.name} sends us on to {urlsplit(onward).netloc}, which is neither the accepted address nor storage "
            "that was named for it."
        )

    return Reach(redirected, may_be_reached)


def may_be_reached(address: str) -> bool:
    """Whether this hub connects to a network address (text) on another hub's behalf: a public one, one in
    HASHSHARE_PEER_NETWORKS, or this machine itself where this hub is at home on it, as in a trial.
    """
    plain = _plain(ipaddress.ip_address(address))
    if plain.is_loopback:
        return is_loopback(urlsplit(settings.HASHSHARE_PUBLIC_URL).hostname or "")
    if any(plain in network for network in settings.HASHSHARE_PEER_NETWORKS if network.version == plain.version):
        return True
    special = plain.is_multicast or plain.is_reserved or (plain.version == 6 and plain.is_site_local)
    return plain.is_global and not special


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return embedded or address
    return address


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _is_object(asked: str, hub_url: str) -> bool:
    path = urlsplit(asked).path.removeprefix(urlsplit(hub_url).path)
    return path.startswith(OBJECTS[0]) and OBJECTS[1] in path
