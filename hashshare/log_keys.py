"""The key that signs the logs' checkpoints, made on first use beside the TUF keys; and the names of the logs.

It is one key for all logs of this hub, each under its own name, and there is no standby: readers remember the key, so
another one is noticed by all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from hashshare.hub_keys import existing
from hashshare.wire import keys
from hashshare.wire.log.leaves import padding_secret

FILE: Final = "log.pem"
PUBLICATION: Final = "publication"
"""In a name of a log, where a publisher's domain stands otherwise; no domain is without a dot."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """`public` is raw, 32 bytes; the nonces of padding come from `padding`, as secret as the key itself."""

    private: Ed25519PrivateKey = field(repr=False)
    public: bytes
    padding: bytes = field(repr=False)


def log_key() -> LogKey:
    """A key that was replaced meanwhile is noticed by its file."""
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_log_key(folder, existing(folder / FILE).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def load_log_key(folder: Path, changed: int) -> LogKey:  # noqa: ARG001 - the cache's key
    private = keys.load(folder / FILE)
    return LogKey(private, keys.public_bytes(private), padding_secret(private))


def origin_of(name: str) -> str:
    """`hub.example/log/aurora.example`, for a publisher's domain or PUBLICATION."""
    return f"{urlsplit(settings.HASHSHARE_PUBLIC_URL).netloc}/log/{name}"
