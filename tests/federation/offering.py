"""What a hub offers of a hotline's list, as other hubs are told."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.client.members.aurora import Aurora

OFFERED: dict[str, Any] = {
    "title": "Images",
    "description": "",
    "algorithms": ["sha256", "md5", "sha1"],
    "scheme": "uk-abc",
    "columns": ["category", "expires"],
    "terms": "For detection only.",
    "terms_digest": hashlib.sha256(b"For detection only.").hexdigest(),
    "redistribution": {"policy": "federation"},
    "poll_seconds": 300,
    "deadline_hours": 24,
    "members": "each",
    "evidence": "documents",
}


def offered(one: Aurora, *path: str, **changes: Any) -> dict[str, Any]:
    """What a hub offers of a publisher with its one list."""
    return {
        "domain": one.domain,
        "organisation": {"name": "Aurora", "country": "NO"},
        "root_fingerprint": one.fingerprint,
        "path": list(path),
        "lists": [{**OFFERED, "id": one.list_id, "slug": one.name.partition("/")[2], **changes}],
    }
