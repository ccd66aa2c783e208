"""Acknowledgements: a member's signed statement, as a DSSE document, that it applied a version of a list.

It is valid by itself, without the request that brought it, and is handed on byte for byte. One signature, by a key of
the organisation that speaks; the key's fingerprint is the signature's key id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire.documents import Fields, read_object, write_object, write_time
from hashshare.wire.errors import MalformedAcknowledgement
from hashshare.wire.limits import KIB
from hashshare.wire.log.dsse import open_document, sign_document
from hashshare.wire.manifest import LIST_NAME
from hashshare.wire.objects import LIST_ID, SHA256

PAYLOAD_TYPE: Final = "application/vnd.hashshare.acknowledgement+json"
FORMAT: Final = "hashshare-acknowledgement/1"
MAX_ACKNOWLEDGEMENT: Final = 4 * KIB
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
    return sign_document(acknowledgement.to_bytes(), payload_type=PAYLOAD_TYPE, key=key)


def verify_acknowledgement(body: bytes, *, public_keys: Iterable[bytes]) -> tuple[Acknowledgement, str]:
    """What the document says, and the fingerprint of the one of `public_keys` (raw) that signed it.

    Raises MalformedAcknowledgement, or BadSignature when none of them did.
    """
    payload, key = open_document(
        body,
        payload_type=PAYLOAD_TYPE,
        public_keys=public_keys,
        limit=MAX_ACKNOWLEDGEMENT,
        error=MalformedAcknowledgement,
        what="acknowledgement",
        whose="the organisation",
    )
    return Acknowledgement.parse(payload), key
