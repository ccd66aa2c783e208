"""What a hub is to others: its name, its address and its keys. No tables here."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.documents import HubDescriptor
from hashshare.wire import keys
from hashshare.wire.documents import write_object


@dataclass
class Identity:
    name: str
    country: str
    title: str
    url: str
    key: Ed25519PrivateKey = field(default_factory=keys.generate)
    witness: Ed25519PrivateKey = field(default_factory=keys.generate)
    log: Ed25519PrivateKey = field(default_factory=keys.generate)

    def document(self, **changes: Any) -> dict[str, Any]:
        """What it says of itself at /.well-known/hashshare."""
        said = {"hub": self.name, "url": self.url, "name": self.title, "country": self.country, "version": "1.0.0"}
        own = {"peer_key": self.key, "witness_key": self.witness, "log_key": self.log}
        return said | {name: base64.b64encode(keys.public_bytes(key)).decode() for name, key in own.items()} | changes

    @property
    def descriptor(self) -> HubDescriptor:
        return HubDescriptor.parse(write_object(self.document()))
