"""The vector of a report between hubs: South tells North of its members, and of East, which has the list from South."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from federation.reports import (
    HubCounts,
    NamedMember,
    Path,
    Report,
    Statement,
    WithdrawalCount,
    sign_report,
)
from hashshare.wire import keys
from hashshare.wire.log import Acknowledgement, sign_acknowledgement
from tests.vectors.cast import LIST_ID, NOW, key, seed

PEER: Final = 51
COBALT: Final = 52
GRANITE: Final = 53
LIST_NAME: Final = "aurora.example/images"
EAST: Final[Path] = ("east.example",)


def statement(organisation: str, hub: str, signer: int, path: Path) -> Statement:
    made = Acknowledgement(
        organisation=organisation,
        hub=f"https://{hub}",
        list_name=LIST_NAME,
        list_id=LIST_ID,
        version=58,
        purged=41,
        manifest_sha256=hashlib.sha256(b"manifest").hexdigest(),
        at=NOW,
    )
    document = sign_acknowledgement(made, key=key(signer)).decode()
    return Statement(path, NOW + timedelta(seconds=2), keys.public_bytes(key(signer)), document)


def report() -> Report:
    since, served_at = NOW - timedelta(days=90), NOW - timedelta(hours=3)
    return Report(
        sender="south.example",
        receiver="north.example",
        list_name=LIST_NAME,
        list_id=LIST_ID,
        sequence=7,
        at=NOW + timedelta(minutes=1),
        mode="documents",
        hubs=(
            HubCounts(
                (),
                "documents",
                (
                    WithdrawalCount(58, served_at, 2, 1, 0, 0, 10_800, 10_800),
                    WithdrawalCount(41, served_at - timedelta(days=9), 2, 1, 1, 1, 600, 600),
                ),
            ),
            HubCounts(EAST, "documents", (WithdrawalCount(58, served_at, 1, 1, 0, 0, 10_900, 10_900),)),
        ),
        members=(
            NamedMember((), "cobalt", "Cobalt", "DE", since, None, access=True),
            NamedMember(EAST, "granite", "", "FI", since, NOW + timedelta(days=9), access=True),
        ),
        statements=(
            statement("cobalt", "south.example", COBALT, ()),
            statement("granite", "east.example", GRANITE, EAST),
        ),
    )


def reports() -> dict[str, Any]:
    return {
        "seed": seed(PEER),
        "public": keys.public_bytes(key(PEER)).hex(),
        "document": sign_report(report(), key=key(PEER)).decode(),
        "payload": report().to_bytes().decode(),
    }
