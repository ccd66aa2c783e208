"""What this hub says of itself to everyone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from hashshare.hub_keys import hub_keys
from hashshare.log_keys import log_key
from hashshare.models import Metadata, Publisher
from hashshare.peering_keys import hub_name, peer_key, witness_key
from hashshare.wire.repository import read_role, standby_hub


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`keys` are the TUF public key dictionaries of the hub's online and standby keys, in this order; `log_key` is the
    raw Ed25519 public key under which all logs of this hub are signed. `hub` is what other hubs call it, `country` an
    ISO 3166-1 code or empty; `peer_key` and `witness_key` are raw Ed25519 public keys (hashshare/peering_keys.py).
    """

    name: str
    url: str
    version: str
    time: datetime
    keys: tuple[dict[str, Any], dict[str, Any]]
    log_key: bytes
    hub: str
    country: str
    peer_key: bytes
    witness_key: bytes


def descriptor(*, now: datetime) -> Descriptor:
    keys = hub_keys().public
    return Descriptor(
        settings.HASHSHARE_NAME,
        settings.HASHSHARE_PUBLIC_URL,
        installed_version(),
        now,
        (keys[0], keys[1]),
        log_key().public,
        hub_name(),
        settings.HASHSHARE_COUNTRY,
        peer_key().public,
        witness_key().public,
    )


@dataclass(frozen=True, slots=True)
class LaggingRoot:
    """A publisher whose root does not name the hub's present keys. `stuck`: not even the one in use, so that members
    refuse what the hub signs; else only the standby key's loss could not be borne.
    """

    domain: str
    stuck: bool


def with_roots(publishers: QuerySet[Publisher]) -> QuerySet[Publisher]:
    """Each with the root that was accepted last, for `named_keys`: one query, however many there are."""
    roots = Metadata.objects.filter(publisher=OuterRef("pk"), role="root").order_by("-version")
    return publishers.annotate(newest_root=Subquery(roots.values("body")[:1]))


def lagging_roots() -> list[LaggingRoot]:
    """By domain. Each publisher's next root names the pair as it is then."""
    online, standby = (key.keyid for key in hub_keys().both)
    found = []
    for publisher in with_roots(Publisher.objects.exclude(root_fingerprint="").order_by("domain")):
        named = named_keys(publisher)
        if not {online, standby} <= named:
            found.append(LaggingRoot(publisher.domain, online not in named))
    return found


def named_keys(publisher: Publisher) -> set[str]:
    """Key ids that the accepted root of a row of `with_roots` names for timestamps; empty before there is a root."""
    root: bytes | None = publisher.newest_root  # type: ignore[attr-defined]
    return set(read_role("root", bytes(root)).signed.roles["timestamp"].keyids) if root else set()


def named_standby_hub(publisher: Publisher) -> str:
    """The other hub that the accepted root of a row of `with_roots` names, to take over from this one; "" for none."""
    root: bytes | None = publisher.newest_root  # type: ignore[attr-defined]
    named = standby_hub(bytes(root)) if root else None
    return named.hub if named else ""


def publisher_state(publisher: Publisher) -> str:
    """Of a row of `with_roots`, in a word or two: how far the hub and the publisher's root fit together."""
    if publisher.awaited_since is not None:
        return "awaited"
    if not publisher.root_fingerprint:
        return "no root"
    online, standby = (key.keyid for key in hub_keys().both)
    named = named_keys(publisher)
    if online not in named:
        return "hub key not named"
    return "served" if standby in named else "standby not named"


def installed_version() -> str:
    """Of the distribution, or 0 in a tree that was never installed."""
    try:
        return version("hashshare")
    except PackageNotFoundError:
        return "0"
