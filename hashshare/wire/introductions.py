"""How one key of an organisation vouches for the next: the words that the new key signs, to show that it is held.

The request that brings a new key is signed by a key that the hub knows already. This proof is the other half: without
it anybody enrolled could register a public key that is somebody else's, who would then be refused with it.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature

FORMAT: Final = "hashshare-key-introduction/1"
PROOF_BYTES: Final = 64


def prove_key(key: Ed25519PrivateKey, *, hub: str, introducer: str) -> bytes:
    """The new key's signature (64 bytes): it is to be known at `hub` (its public address), on the word of the key whose
    fingerprint is `introducer`.
    """
    return key.sign(_words(hub, introducer, keys.fingerprint_of(key)))


def check_proof(proof: bytes, *, public_key: bytes, hub: str, introducer: str) -> None:
    """Raises BadSignature unless the holder of `public_key` (32 raw bytes) made it, UsageError for no key at all."""
    try:
        keys.public_key(public_key).verify(proof, _words(hub, introducer, keys.fingerprint(public_key)))
    except InvalidSignature as error:
        raise BadSignature("The proof is not signed by the key that is introduced.") from error


def _words(hub: str, introducer: str, introduced: str) -> bytes:
    """Lines that begin like nothing else that is signed with such a key, so that no signature can stand for another."""
    return "\n".join((FORMAT, hub.rstrip("/"), introducer, introduced, "")).encode()
