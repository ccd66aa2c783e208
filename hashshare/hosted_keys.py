"""Keys that the hub keeps for hosted lists: all of them follow from one secret, hosted.pem beside the TUF keys.

HKDF (RFC 5869) makes of it, for each list and number, a feed key and a request key. So a new list needs no new file on
any machine, every worker that has hosted.pem can sign, a backup of the one file is one of all keys, and rows lost with
a database are found again by counting up.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from hashshare.hub_keys import existing
from hashshare.wire import keys

FILE: Final = "hosted.pem"

Purpose = Literal["feed", "request"]


def hosted_key(purpose: Purpose, *, list_id: str, number: int) -> Ed25519PrivateKey:
    """The `number`th key (from 1) of a list that signs its feed, or the requests that hand it over."""
    label = f"hashshare hosted {purpose} key\n{list_id}\n{number}".encode()
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(_secret())
    return Ed25519PrivateKey.from_private_bytes(seed)


def _secret() -> bytes:
    """A file that was replaced meanwhile is noticed; it is made on first use."""
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _load(folder, existing(folder / FILE).stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(folder: Path, changed: int) -> bytes:  # noqa: ARG001 - the cache's key
    return keys.load(folder / FILE).private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
