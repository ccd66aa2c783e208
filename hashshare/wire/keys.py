"""Ed25519 keys: organisation keys that sign requests and TUF keys that sign metadata, the same kind of file.

Private keys rest in PKCS#8 PEM files of mode 0600, under a passphrase if one is given. Which key may do what is not
decided here.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from hashshare.durable import write_new
from hashshare.wire.errors import UsageError
from hashshare.wire.pkcs8 import encrypt_pkcs8

PUBLIC_KEY_BYTES = 32
FINGERPRINT_PREFIX = "SHA256:"


def generate() -> Ed25519PrivateKey:
    """A new private key from the operating system's random source."""
    return Ed25519PrivateKey.generate()


def save(key: Ed25519PrivateKey, path: Path, *, passphrase: bytes | None = None) -> None:
    """Write a new file of mode 0600, synced to disk; FileExistsError rather than overwrite a key."""
    write_new(path, to_pem(key, passphrase=passphrase))


def load(path: Path, *, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """Raises UsageError for anything but an Ed25519 private key that opens with `passphrase`, OSError as usual."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        if passphrase is not None and isinstance(fault, ValueError) and "password" in str(fault).lower():
            raise UsageError(
                f"That passphrase does not open {path}. Nothing was changed.",
                next_step="Try again. HASHSHARE_PASSPHRASE is taken if it is set: correct it, or unset it to be asked.",
            ) from fault
        if isinstance(fault, ValueError):
            raise UsageError(
                f"{path} is no private key, or it is damaged.", next_step="Restore it from your backup."
            ) from fault
        raise UsageError(f"{path} does not open as a private key: {fault}") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} holds a private key of another kind than Ed25519.")
    return key


def to_pem(key: Ed25519PrivateKey, *, passphrase: bytes | None = None) -> bytes:
    """PKCS#8 PEM; under a passphrase as `wire.pkcs8` encrypts it."""
    encoding = serialization.Encoding.DER if passphrase else serialization.Encoding.PEM
    plain = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return encrypt_pkcs8(plain, passphrase) if passphrase else plain


def public_bytes(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The raw public key, 32 bytes (RFC 8032 section 5.1.5)."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def public_key(raw: bytes) -> Ed25519PublicKey:
    """From 32 raw bytes; raises UsageError for any other length, and for a point of small order, under which one
    signature fits many messages.
    """
    if len(raw) != PUBLIC_KEY_BYTES or is_small_order(raw):
        raise UsageError("That is not an Ed25519 public key of 32 bytes.")
    return Ed25519PublicKey.from_public_bytes(raw)


_Y_OF_SMALL_ORDER = frozenset(
    {
        0,
        1,
        2**255 - 20,
        2**255 - 19,
        2**255 - 18,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)


def is_small_order(raw: bytes) -> bool:
    """Whether the point generates fewer than nine others, told by its y coordinate as RFC 8032 encodes it."""
    return int.from_bytes(raw, "little") & (2**255 - 1) in _Y_OF_SMALL_ORDER


def fingerprint(raw: bytes) -> str:
    """A key's id: `SHA256:` and the unpadded standard base64 of the SHA-256 of the 32 raw bytes."""
    return FINGERPRINT_PREFIX + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def fingerprint_of(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    return fingerprint(public_bytes(key))


def tuf_key(raw: bytes) -> SSlibKey:
    """The key as TUF metadata lists it, under the key id that TUF derives from it."""
    return SSlibKey.from_crypto(public_key(raw))


def key_id(key: Key) -> str:
    """The id that follows from a public key: hex SHA-256 of its canonical JSON (TUF specification 4.2). What metadata
    lists a key under may be any text.
    """
    named = {"keytype": key.keytype, "scheme": key.scheme, "keyval": key.keyval}
    return hashlib.sha256((encode_canonical(named) or "").encode()).hexdigest()


def tuf_signer(key: Ed25519PrivateKey) -> CryptoSigner:
    """What signs TUF metadata with `key`. Keys in hardware or a key service have their own securesystemslib signer."""
    return CryptoSigner(key)
