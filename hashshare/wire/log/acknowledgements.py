"""Acknowledgements: a member's signed statement, as a DSSE document, that it applied a version of a list.

It is valid by itself, without the request that brought it, and is handed on byte for byte. One signature, by a key of
the organisation that speaks; the key's fingerprint is the signature's key id.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from hashshare.wire import keys
from hashshare.wire.documents import Fields, read_object, write_object, write_time
from hashshare.wire.errors import BadSignature, MalformedAcknowledgement, MalformedLog
from hashshare.wire.limits import KIB
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.manifest import LIST_NAME
from hashshare.wire.objects import LIST_ID, SHA256

PAYLOAD_TYPE: Final = "application/vnd.hashshare.acknowledgement+json"
FORMAT: Final = "hashshare-acknowledgement/1"
MAX_ACKNOWLEDGEMENT: Final = 4 * KIB
SIGNATURE_BYTES: Final = 64
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`organisation` (its slug) at `hub` (its public address) applied `version` of the list, whose manifest has that
    digest, and holds nothing any more that was withdrawn up to version `purged`.
    """

    organisation: str
    hub: str
    list_name: str
    list_id: str
    version: int
    purged: int
    manifest_sha256: str
    at: datetime

    def to_bytes(self) -> bytes:
        """What is signed."""
        return write_object(
            {
                "format": FORMAT,
                "organisation": self.organisation,
                "hub": self.hub,
                "list": self.list_name,
                "list_id": self.list_id,
                "version": self.version,
                "purged": self.purged,
                "manifest_sha256": self.manifest_sha256,
                "at": write_time(self.at),
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Raises MalformedAcknowledgement; unknown fields are passed over."""
        value = read_object(
            payload, limit=MAX_ACKNOWLEDGEMENT, error=MalformedAcknowledgement, what="acknowledgement's payload"
        )
        fields = Fields(value, where="acknowledgement", error=MalformedAcknowledgement)
        if fields.text("format") != FORMAT:
            fields.fail(f"format is not {FORMAT}")
        read = cls(
            organisation=fields.text("organisation", pattern=_LINE),
            hub=fields.text("hub", pattern=_LINE),
            list_name=fields.text("list", pattern=LIST_NAME),
            list_id=fields.text("list_id", pattern=LIST_ID),
            version=fields.count("version", at_least=1),
            purged=fields.count("purged"),
            manifest_sha256=fields.text("manifest_sha256", pattern=SHA256),
            at=fields.moment("at"),
        )
        if read.purged > read.version:
            fields.fail("purged is above version")
        return read


def sign_acknowledgement(acknowledgement: Acknowledgement, *, key: Ed25519PrivateKey) -> bytes:
    """The DSSE document."""
    envelope = Envelope(acknowledgement.to_bytes(), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key, _named(keys.public_bytes(key))))
    return json.dumps(envelope.to_dict(), separators=(",", ":")).encode() + b"\n"


def verify_acknowledgement(body: bytes, *, public_keys: Iterable[bytes]) -> tuple[Acknowledgement, str]:
    """What the document says, and the fingerprint of the one of `public_keys` (raw) that signed it.

    Raises MalformedAcknowledgement, or BadSignature when none of them did.
    """
    envelope = _read_envelope(body)
    try:
        accepted = envelope.verify([_named(raw) for raw in public_keys], threshold=1)
    except (VerificationError, ValueError) as fault:
        raise BadSignature("The acknowledgement is not signed by a key of the organisation.") from fault
    return Acknowledgement.parse(envelope.payload), next(iter(accepted))


def _read_envelope(body: bytes) -> Envelope:
    value = read_object(body, limit=MAX_ACKNOWLEDGEMENT, error=MalformedAcknowledgement, what="acknowledgement")
    fields = Fields(value, where="acknowledgement", error=MalformedAcknowledgement)
    if fields.text("payloadType") != PAYLOAD_TYPE:
        fields.fail(f"payloadType is not {PAYLOAD_TYPE}")
    payload = _decoded(fields, "payload")
    signatures = fields.each("signatures", limit=1)
    if len(signatures) != 1:
        fields.fail("signatures does not hold one signature")
    keyid, signature = signatures[0].text("keyid", limit=200), _decoded(signatures[0], "sig", length=SIGNATURE_BYTES)
    record: dict[str, Any] = {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
    return Envelope.from_dict(
        {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [record]}
    )


def _decoded(fields: Fields, name: str, *, length: int | None = None) -> bytes:
    try:
        return decode_base64(fields.text(name, limit=MAX_ACKNOWLEDGEMENT), what=name, length=length)
    except MalformedLog as fault:
        raise MalformedAcknowledgement(fault.message) from fault


def _named(raw: bytes) -> SSlibKey:
    """The key under its fingerprint."""
    return SSlibKey.from_crypto(keys.public_key(raw), keyid=keys.fingerprint(raw))
