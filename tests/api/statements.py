"""Acknowledgements and receipts as a member's client sends and checks them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hashshare.log_keys import log_key
from hashshare.wire.log import Acknowledgement, Checkpoint, Verifier, open_checkpoint, sign_acknowledgement
from tests.api.parties import HUB, Party
from tests.api.publishing import Hotline

ORIGIN = "127.0.0.1:8000/log/aurora.example"


def manifest_digest(hotline: Hotline) -> str:
    return hashlib.sha256(
        next(body for path, body in hotline.objects.items() if path.endswith("manifest.json"))
    ).hexdigest()


def statement(who: Party, hotline: Hotline, **changes: Any) -> Acknowledgement:
    made = Acknowledgement(
        organisation=who.organisation.slug,
        hub=HUB,
        list_name=hotline.name,
        list_id=hotline.list_id,
        version=1,
        purged=1,
        manifest_sha256=manifest_digest(hotline),
        at=datetime.now(UTC),
    )
    return replace(made, **changes)


def document(who: Party, hotline: Hotline, **changes: Any) -> bytes:
    return sign_acknowledgement(statement(who, hotline, **changes), key=who.key)


def send(who: Party, body: bytes, query: str = "") -> Any:
    return who.signed("POST", f"acknowledgements{query}", body=body, headers={"Content-Type": "application/json"})


def opened(note: str, origin: str = ORIGIN) -> Checkpoint:
    return open_checkpoint(note, Verifier(origin, log_key().public), origin=origin)


def raw(texts: list[str]) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in texts]
