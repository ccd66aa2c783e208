"""The hub's two TUF keys: one in use, one standby. Every publisher's root names both.

The one in use is a file made on first use, or lies where HASHSHARE_ONLINE_KEY_URI says: a key service or a hardware
token that securesystemslib speaks to. The standby key is a file that the operator takes offline; its public half stays
behind in standby.pub.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from securesystemslib.signer import Key, Signer, SSlibKey

from hashshare.durable import create_file, replace_file
from hashshare.wire import errors, keys

STANDBY: Final = "standby.pub"


@dataclass(frozen=True, slots=True)
class HubKeys:
    """`online` signs snapshots and timestamps."""

    online: Signer
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
    """A key that was replaced meanwhile is noticed by its file.

    Raises ImproperlyConfigured when the one in use is gone: another would be refused by every member.
    """
    folder = Path(settings.HASHSHARE_KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    uri = settings.HASHSHARE_ONLINE_KEY_URI
    public = Path(settings.HASHSHARE_ONLINE_KEY_PUBLIC) if uri else online_file(folder)
    return load_hub_keys(folder, uri, public, changed(public), changed(folder / STANDBY))


def online_file(folder: Path) -> Path:
    """The file of the key in use, made on first use only: roots name it from then on."""
    path = folder / "online.pem"
    # In this order, for another process may be making both: it makes this key first.
    if (folder / STANDBY).exists() and not path.exists():
        raise ImproperlyConfigured(
            f"{path}, the hub's key in use, is gone; another would be refused by every member, so nothing is signed. "
            "Put it back, or the standby key in its place: manage.py replace_hub_key standby.pem"
        )
    return existing(path)


def changed(path: Path) -> int:
    """When, in nanoseconds; 0 for a file that is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=4)
def load_hub_keys(folder: Path, uri: str, file: Path, *seen: int) -> HubKeys:  # noqa: ARG001 - parts of the cache's key
    """From `folder`, making what is missing. Several processes may do so at once: the first file in place wins.

    A key that was on standby and is now the one in use gets a new one beside it.
    """
    online = signer_at(uri, file) if uri else keys.tuf_signer(keys.load(file))
    standby = known_standby(folder)
    if standby is None or standby.keyid == online.public_key.keyid:
        with alone_in(folder):
            standby = made_standby(online.public_key, folder)
    return HubKeys(online, standby)


def known_standby(folder: Path) -> Key | None:
    return read_standby(folder) if (folder / STANDBY).exists() else None


def made_standby(online: Key, folder: Path) -> Key:
    """The standby key's public half; the key is made unless another process has done so by now."""
    standby = known_standby(folder)
    if standby is not None and standby.keyid != online.keyid:
        return standby
    if standby is not None:
        replace_file(folder / "standby.pem", keys.to_pem(keys.generate()))
    made = keys.load(existing(folder / "standby.pem"))
    publish = create_file if standby is None else replace_file
    publish(folder / STANDBY, base64.b64encode(keys.public_bytes(made)))
    return read_standby(folder)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One process at a time: of two that each made a standby key, one would publish the half of the other's.

    A file system that locks no folders (NFS) is no reason not to start.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def signer_at(uri: str, public: Path) -> Signer:
    """The key that securesystemslib reaches by `uri`, whose public half is the PEM file `public`.

    Raises ImproperlyConfigured, naming what is wrong and no secret.
    """
    try:
        secret = str(settings.HASHSHARE_ONLINE_KEY_SECRET)
        return Signer.from_priv_key_uri(uri, from_pem(public.read_bytes()), lambda _: secret)
    except Exception as error:
        raise ImproperlyConfigured(
            f"The hub's key cannot be used: HASHSHARE_ONLINE_KEY_URI ({uri.partition(':')[0]}:...) with "
            f"HASHSHARE_ONLINE_KEY_PUBLIC={public}: {type(error).__name__}."
        ) from error


def read_standby(folder: Path) -> Key:
    """From standby.pub: a raw Ed25519 key in base64, or a PEM file of a key that will lie in a key service."""
    body = (folder / STANDBY).read_bytes()
    return from_pem(body) if body.startswith(b"-----") else keys.tuf_key(base64.b64decode(body))


def from_pem(body: bytes) -> Key:
    """A public key as TUF metadata lists it. Raises ValueError, UnsupportedAlgorithm."""
    return SSlibKey.from_crypto(load_pem_public_key(body))


def promote_standby(standby: Path, *, passphrase: bytes | None = None) -> None:
    """Put the standby key in the place of a lost online key, and make a new standby key. Every root names it already.

    The new one is under the `passphrase` that opened this one. Raises UsageError when `standby` is not the key whose
    public half every root names, or while the settings name a key elsewhere.
    """
    if settings.HASHSHARE_ONLINE_KEY_URI:
        raise errors.UsageError(
            "The settings name a key in a key service, and would go on to do so.",
            next_step="Stop the hub, remove HASHSHARE_ONLINE_KEY_URI from its settings, run this again, then start it.",
        )
    folder, key = Path(settings.HASHSHARE_KEYS), keys.load(standby, passphrase=passphrase)
    if not (folder / STANDBY).exists() or read_standby(folder).keyid != keys.tuf_signer(key).public_key.keyid:
        raise errors.UsageError(f"{standby} is not this hub's standby key.")
    following = keys.generate()
    with alone_in(folder):
        replace_file(folder / "online.pem", keys.to_pem(key))
        replace_file(folder / "standby.pem", keys.to_pem(following, passphrase=passphrase))
        replace_file(folder / STANDBY, base64.b64encode(keys.public_bytes(following)))
    load_hub_keys.cache_clear()


def existing(path: Path) -> Path:
    """The private key file, made if there is none."""
    if not path.exists():
        create_file(path, keys.to_pem(keys.generate()))
    return path
