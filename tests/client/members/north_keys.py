"""Hub North's side of an organisation's keys: introductions, one-time codes, ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hashshare.wire import keys
from hashshare.wire.errors import Conflict, LastKey, NotEntitled
from hashshare.wire.introductions import check_proof


@dataclass
class Keyring:
    """`names` and `ends` by key id; `full` refuses every further key."""

    names: dict[str, str] = field(default_factory=dict)
    ends: dict[str, datetime] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    full: bool = False

    def is_over(self, keyid: str) -> bool:
        return keyid in self.ends and self.ends[keyid] <= datetime.now(UTC)

    def takes(self, code: str) -> bool:
        """A code is good once."""
        known = code in self.codes
        self.codes.discard(code)
        return known

    def row(self, keyid: str, revoked: set[str] | None = None) -> dict[str, Any]:
        end = self.ends.get(keyid)
        state = "revoked" if keyid in (revoked or ()) else "expired" if self.is_over(keyid) else "active"
        return {
            "id": keyid,
            "name": self.names.get(keyid, "sync-01"),
            "state": state,
            "holder": "",
            "created_at": "2026-01-01T00:00:00Z",
            "not_after": end.isoformat() if end else None,
        }

    def rows(self, known: Mapping[str, bytes], revoked: set[str]) -> list[dict[str, Any]]:
        return [self.row(keyid, revoked) for keyid in known]

    def change(
        self, path: str, body: bytes, known: dict[str, bytes], signer: str, *, hub: str
    ) -> tuple[dict[str, Any], int]:
        asked = json.loads(body)
        if path == "keys":
            return self.introduce(asked, known, signer, hub)
        if path == "keys/invitations":
            code = f"AAAA-BBBB-{len(self.codes):04}"
            self.codes.add(code)
            return {"code": code, "expires_at": "2026-12-01T12:00:00Z"}, 201
        return self.end(path.split("/")[1].replace("-", "+").replace("_", "/"), asked, known), 200

    def introduce(
        self, asked: dict[str, Any], known: dict[str, bytes], signer: str, hub: str
    ) -> tuple[dict[str, Any], int]:
        raw = base64.b64decode(asked["public_key"])
        check_proof(base64.b64decode(asked["proof"]), public_key=raw, hub=hub, introducer=signer)
        keyid = keys.fingerprint(raw)
        if keyid in known:
            return self.row(keyid), 200
        if self.full:
            raise Conflict("Your organisation has 20 keys and open codes, as many as it may.")
        known[keyid], self.names[keyid] = raw, asked["name"]
        self.ends[keyid] = datetime.now(UTC) + timedelta(days=asked["days"])
        return self.row(keyid), 201

    def end(self, keyid: str, asked: dict[str, Any], known: dict[str, bytes]) -> dict[str, Any]:
        if keyid not in known:
            raise NotEntitled
        end = datetime.now(UTC) + timedelta(hours=asked["after_hours"])
        if not asked["last"] and all(self.is_over(other) for other in known if other != keyid):
            raise LastKey
        self.ends[keyid] = min(end, self.ends.get(keyid, end))
        return {"key": self.row(keyid), "ended": [], "left": []}
