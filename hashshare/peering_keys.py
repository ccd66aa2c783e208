"""The keys with which this hub speaks to other hubs: one signs its requests, one cosigns their logs.

Both are made on first use beside the TUF keys. A key for each purpose, so that a peer's signature over a request can
never pass for one over a checkpoint (C2SP tlog-witness asks for the same).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from hashshare.durable import replace_file
from hashshare.hub_keys import existing
from hashshare.wire import keys

PEER_FILE: Final = "peer.pem"
WITNESS_FILE: Final = "witness.pem"


@dataclass(frozen=True, slots=True)
class PeeringKey:
    """`public` is raw, 32 bytes."""

    private: Ed25519PrivateKey = field(repr=False)
    public: bytes


def peer_key() -> PeeringKey:
    """Signs this hub's requests to its peers, as an organisation's key does."""
    return _key(PEER_FILE)


def witness_key() -> PeeringKey:
    """Cosigns the checkpoints of other hubs' logs."""
    return _key(WITNESS_FILE)


def known_witness_key() -> bytes | None:
    """The raw public half of the one that is here; None before the first use, and none is made."""
    return witness_key().public if (Path(settings.HASHSHARE_KEYS) / WITNESS_FILE).exists() else None


def replace_witness_key() -> PeeringKey:
    """Make another in its place. Whoever names this hub as a witness has to be told."""
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(folder / WITNESS_FILE, keys.to_pem(keys.generate()))
    load_peering_key.cache_clear()
    return witness_key()


def hub_name() -> str:
    """What other hubs, and publishers' policies, call this one: the host of its public address, with its port if it has
    one. It is also the beginning of its logs' names.
    """
    return urlsplit(settings.HASHSHARE_PUBLIC_URL).netloc


def witness_name() -> str:
    """Under which `witness_key` signs."""
    return f"{hub_name()}/witness"


def _key(name: str) -> PeeringKey:
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = existing(folder / name)
    return load_peering_key(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def load_peering_key(path: Path, changed: int) -> PeeringKey:  # noqa: ARG001 - the cache's key
    private = keys.load(path)
    return PeeringKey(private, keys.public_bytes(private))
