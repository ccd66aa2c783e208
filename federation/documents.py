"""What hubs tell one another, as documents: strict reading, plain writing, no network and no tables."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from hashshare.wire.documents import Fields, read_object, write_object
from hashshare.wire.errors import MalformedDescriptor, MalformedLog
from hashshare.wire.limits import KIB
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.manifest import HUB

MAX_DESCRIPTOR: Final = 64 * KIB
IDENTITY: Final = "hashshare-hub/1"
KEYS: Final = ("peer_key", "witness_key", "log_key")
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,400}")
_COUNTRY: Final = re.compile(r"([A-Z]{2})?")


@dataclass(frozen=True, slots=True)
class HubDescriptor:
    """What a hub says of itself at `/.well-known/hashshare`. The keys are raw Ed25519 public keys, 32 bytes."""

    hub: str
    url: str
    title: str
    country: str
    version: str
    peer_key: bytes
    witness_key: bytes
    log_key: bytes

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises MalformedDescriptor; fields of newer versions are passed over."""
        value = read_object(body, limit=MAX_DESCRIPTOR, error=MalformedDescriptor, what="hub's descriptor")
        fields = Fields(value, where="descriptor", error=MalformedDescriptor)
        keys = {name: _key(fields, name) for name in KEYS}
        return cls(
            hub=fields.text("hub", pattern=HUB),
            url=fields.text("url", pattern=_LINE).rstrip("/"),
            title=fields.text("name", pattern=_LINE, limit=200),
            country=fields.text("country", pattern=_COUNTRY),
            version=fields.text("version", pattern=_LINE, limit=100),
            **keys,
        )

    def to_document(self) -> dict[str, Any]:
        """What `parse` reads, without what it passes over."""
        texts = {"hub": self.hub, "url": self.url, "name": self.title, "country": self.country, "version": self.version}
        return texts | {name: base64.b64encode(getattr(self, name)).decode() for name in KEYS}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Of a document that was kept."""
        return cls.parse(write_object(document))

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits: the SHA-256 of what makes the hub this hub, for two people to compare by voice.

        Its title, country and version may change; another name, address or key is another hub.
        """
        identity: Mapping[str, Any] = {
            "format": IDENTITY,
            "hub": self.hub,
            "url": self.url,
            **{name: getattr(self, name).hex() for name in KEYS},
        }
        return hashlib.sha256(write_object(identity)).hexdigest()


def _key(fields: Fields, name: str) -> bytes:
    try:
        return decode_base64(fields.text(name), what=name, length=32)
    except MalformedLog as fault:
        raise MalformedDescriptor(fault.message) from fault
