"""Hub North's delivery logs as a member meets them: acknowledgements, receipts, checkpoints, proofs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.errors import NotFound
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora

ORGANISATION = {"slug": "cobalt", "name": "Cobalt", "kind": "member", "country": "NL"}


@dataclass
class Logs:
    """One key signs all. `kept` is False at a hub of an older version, which has no such addresses."""

    hub: str = ""
    key: Ed25519PrivateKey = field(default_factory=keys.generate)
    kept: bool = True
    by_domain: dict[str, Ledger] = field(default_factory=dict)
    cosigned: dict[str, list[str]] = field(default_factory=dict)
    """Publisher -> public checkpoints with cosignatures, newest first."""
    lists_cosigned: bool = True

    def __getitem__(self, domain: str) -> Ledger:
        """That publisher's log, begun when it is first needed."""
        if domain not in self.by_domain:
            self.by_domain[domain] = Ledger(domain, self.hub, self.key)
        return self.by_domain[domain]

    def described(self) -> dict[str, str]:
        return {"log_key": base64.b64encode(keys.public_bytes(self.key)).decode()} if self.kept else {}

    def deliver(self, one: Aurora, manifest: bytes) -> None:
        digest = hashlib.sha256(manifest).hexdigest()
        self[one.domain].deliver(ORGANISATION["slug"], one.name, one.list_id, one.version, digest)

    def take(self, address: str, body: bytes, key: bytes, publishers: Sequence[Aurora]) -> tuple[dict[str, Any], int]:
        """POST acknowledgements: the answer and its status. `key` is that of the request's signature."""
        if not self.kept:
            raise NotFound
        document = json.loads(base64.b64decode(json.loads(body)["payload"]))
        one = next(one for one in publishers if one.list_id == document["list_id"])
        ledger = self[one.domain]
        new = ledger.acknowledge(body, key, organisation=ORGANISATION["slug"], published=one.published)
        state = ledger.state(int(_query(address)["size"]))
        return {"acknowledgement": document, "log": state}, 201 if new else 200

    def public(self, address: str) -> dict[str, Any] | str | None:
        """What anybody may read; None for another address."""
        found = re.fullmatch(r"/log/([^/]+)/(cosigned|checkpoint)", address)
        if found is None:
            return None
        notes = self.cosigned.get(found[1], [])
        if found[2] == "cosigned":
            if not self.lists_cosigned:
                raise NotFound
            return {"checkpoints": notes}
        return notes[0] if notes else self[found[1]].note()

    def answer(self, address: str) -> dict[str, Any] | str | None:
        """A document, a checkpoint's text, or None for an address that is not the logs'."""
        path, query = address.partition("?")[0].removeprefix("/api/v1/"), _query(address)
        found = re.fullmatch(r"receipts|log/([^/]+)/(checkpoint|consistency)", path)
        if found is None:
            return None
        if not self.kept:
            raise NotFound
        if path == "receipts":
            name, after = query["list"], int(query.get("after", -1))
            ledger = self[name.partition("/")[0]]
            return ledger.receipts(ORGANISATION["slug"], name, after=after, limit=int(query["limit"]))
        ledger = self[found[1]]
        if found[2] == "checkpoint":
            return ledger.note()
        return {"consistency": ledger.consistency(int(query["old"]), int(query["new"]))}


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(address.partition("?")[2]))
