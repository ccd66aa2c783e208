"""DSSE documents with one Ed25519 signature, whose key id is the key's fingerprint: statements valid by themselves.

What the payload means is for whoever asks. github.com/secure-systems-lab/dsse.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from hashshare.wire import keys
from hashshare.wire.documents import Fields, read_object
from hashshare.wire.errors import BadSignature, MalformedLog, VerificationFailed
from hashshare.wire.log.notes import decode_base64

SIGNATURE_BYTES: Final = 64


def sign_document(payload: bytes, *, payload_type: str, key: Ed25519PrivateKey) -> bytes:
    """The document; the same payload and key always give the same bytes."""
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(CryptoSigner(key, _named(keys.public_bytes(key))))
    return json.dumps(envelope.to_dict(), separators=(",", ":")).encode() + b"\n"


def open_document(
    body: bytes,
    *,
    payload_type: str,
    public_keys: Iterable[bytes],
    limit: int,
    error: type[VerificationFailed],
    what: str,
    whose: str,
) -> tuple[bytes, str]:
    """The payload, and the fingerprint of the one of `public_keys` (raw) that signed it.

    Raises `error`, which calls the document `what`, for one of another shape or of more than `limit` bytes;
    BadSignature when none of the keys, which are of `whose`, signed it.
    """
    envelope = _read_envelope(body, payload_type, limit, error, what)
    try:
        accepted = envelope.verify([_named(raw) for raw in public_keys], threshold=1)
    except (VerificationError, ValueError) as fault:
        raise BadSignature(f"The {what} is not signed by a key of {whose}.") from fault
    payload: bytes = envelope.payload
    return payload, next(iter(accepted))


def _read_envelope(body: bytes, payload_type: str, limit: int, error: type[VerificationFailed], what: str) -> Envelope:
    fields = Fields(read_object(body, limit=limit, error=error, what=what), where=what, error=error)
    if fields.text("payloadType") != payload_type:
        fields.fail(f"payloadType is not {payload_type}")
    payload = _decoded(fields, "payload", limit, error)
    signatures = fields.each("signatures", limit=1)
    if len(signatures) != 1:
        fields.fail("signatures does not hold one signature")
    keyid = signatures[0].text("keyid", limit=200)
    signature = _decoded(signatures[0], "sig", limit, error, length=SIGNATURE_BYTES)
    record: dict[str, Any] = {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
    return Envelope.from_dict(
        {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type, "signatures": [record]}
    )


def _decoded(
    fields: Fields, name: str, limit: int, error: type[VerificationFailed], *, length: int | None = None
) -> bytes:
    try:
        return decode_base64(fields.text(name, limit=limit), what=name, length=length)
    except MalformedLog as fault:
        raise error(fault.message) from fault


def _named(raw: bytes) -> SSlibKey:
    """The key under its fingerprint."""
    return SSlibKey.from_crypto(keys.public_key(raw), keyid=keys.fingerprint(raw))
