"""Characters that no name has get a clear answer: never the hub's own failure."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.parties import CLIENT, Party, problem_of, refused, with_authorization
from tests.api.publishing import Hotline

pytestmark = pytest.mark.django_db

NUL = "%00"


@pytest.mark.parametrize(
    "path",
    [
        f"lists/aurora.example/{NUL}",
        f"lists/{NUL}/images",
        f"lists?q={NUL}",
        f"publishers/{NUL}",
        f"tuf/{NUL}/metadata/timestamp.json",
        f"tuf/aurora.example/targets/{NUL}/{'0' * 64}.manifest.json",
        f"lists/aurora.example/{NUL}/releases",
        f"lists/{NUL}/images/subscriptions",
        "lists/aurora.example/images/releases/99999999999999999999999",
        "lists/aurora.example/%FF%FE",
        "lists/aurora.example/%F0%9F%92%A9",
        "tuf/aurora.example/metadata/999999999999999999.root.json",
    ],
)
def test_it_reads_odd_addresses(images: Hotline, path: str) -> None:
    response = images.party.get(path)
    if response.status_code != 200:
        problem_of(response)
    assert response.status_code in {200, 400, 403, 404}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"lists/aurora.example/images/subscriptions/{NUL}/decision", {"decision": "deny"}),
        ("lists/aurora.example/images/subscriptions/cobalt/decision", {"decision": "deny", "reason": "\x00"}),
        (f"tuf/{NUL}/commits", {"roles": {"root": "e30="}}),
        ("tuf/aurora.example/commits", {"roles": {"\x00": "e30="}}),
        ("access-keys", {"name": "\x00", "days": 1}),
        ("access-keys", {"name": "\ud800", "days": 1}),
        ("access-keys", {"name": "sync\u200b-02", "days": 1}),
        ("access-keys", {"name": "x", "days": 10**40}),
    ],
)
def test_it_reads_odd_bodies(aurora: Party, path: str, body: Any) -> None:
    response = aurora.signed("POST", path, json=body, headers={"If-Match": '"0"'})
    problem_of(response)
    assert response.status_code in {400, 403, 404, 422}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "\x00"},
        {"title": "\ud800"},
        {"title": "Ima\u202eges"},
        {"description": "\x00"},
        {"terms": "\x00"},
        {"terms": "\ud800"},
        {"algorithms": ["\x00"]},
        {"columns": ["\x00"]},
        {"scheme": "\x00"},
        {"publisher": "\x00"},
        {"redistribution": {"policy": "named", "peers": ["\x00"]}},
        {"redistribution": {"policy": "named", "peers": ["\ud800"]}},
        {"redistribution": {"policy": ["named"]}},
        {"redistribution": {"policy": "named", "peers": [{"a": 1}]}},
        {"poll_seconds": 10**30},
    ],
)
def test_it_reads_odd_declarations(aurora: Party, changes: dict[str, Any]) -> None:
    response = Hotline(aurora, "aurora.example").declare(**changes)
    problem_of(response)
    assert response.status_code in {400, 403}


@pytest.mark.parametrize("secret", ["hsk_\0_x", "hsk_a\0b_x", "hsk_ab_\0", "hsk_\N{PILE OF POO}_x", "hsk_a_b\n"])
def test_it_reads_odd_access_keys(db: None, secret: str) -> None:
    credentials = base64.b64encode(f"anybody:{secret}".encode()).decode()
    refused(with_authorization(CLIENT, "GET", "heads", f"Basic {credentials}"), 401, "not-authenticated")
