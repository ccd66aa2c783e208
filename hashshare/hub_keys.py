"""The hub's two TUF keys: one in use, one standby, made on first use. Every publisher's root names both.

The operator takes standby.pem offline once it exists; its public half stays behind in standby.pub.
"""

from __future__ import annotations

import base64
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from securesystemslib.signer import CryptoSigner, Key

from hashshare.wire import errors, keys


@dataclass(frozen=True, slots=True)
class HubKeys:
    """`online` signs snapshots and timestamps."""

    online: CryptoSigner
    standby: Key

    @property
    def both(self) -> tuple[Key, Key]:
        """What a root must name."""
        return self.online.public_key, self.standby

    @property
    def public(self) -> list[dict[str, Any]]:
        """As TUF public key dictionaries with their key id, online first."""
        return [{"keyid": key.keyid, **key.to_dict()} for key in self.both]


def hub_keys() -> HubKeys:
    """A key that was replaced meanwhile is noticed by its file."""
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return load_hub_keys(folder, existing(folder / "online.pem").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def load_hub_keys(folder: Path, changed: int) -> HubKeys:  # noqa: ARG001 - the cache's key
    """From `folder`, making what is missing. Several processes may do so at once: the first file in place wins."""
    online = keys.load(folder / "online.pem")
    public = folder / "standby.pub"
    if not public.exists():
        standby = keys.load(existing(folder / "standby.pem"))
        place(folder, public, base64.b64encode(keys.public_bytes(standby)))
    raw = base64.b64decode(public.read_bytes())
    return HubKeys(keys.tuf_signer(online), keys.tuf_key(raw))


def promote_standby(standby: Path) -> None:
    """Put the standby key in the place of a lost online key, and make a new standby key. Every root names it already.

    Raises UsageError when `standby` is not the key whose public half every root names.
    """
    folder, key = Path(settings.HASHSHARE_KEYS), keys.load(standby)
    public = folder / "standby.pub"
    if not public.exists() or base64.b64decode(public.read_bytes()) != keys.public_bytes(key):
        raise errors.UsageError(f"{standby} is not this hub's standby key.")
    swap(folder, "online.pem", keys.to_pem(key))
    following = keys.generate()
    swap(folder, "standby.pem", keys.to_pem(following))
    swap(folder, "standby.pub", base64.b64encode(keys.public_bytes(following)))
    load_hub_keys.cache_clear()


def swap(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of mode 0600 whole."""
    part = folder / f".{name}.new"
    part.unlink(missing_ok=True)
    place(folder, part, content)
    part.replace(folder / name)


def existing(path: Path) -> Path:
    """The private key file, made if there is none."""
    if not path.exists():
        place(path.parent, path, keys.to_pem(keys.generate()))
    return path


def place(folder: Path, path: Path, content: bytes) -> None:
    """Write a file of mode 0600 that appears whole; one that is already there stays."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        return
    finally:
        Path(name).unlink()
