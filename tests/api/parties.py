"""Organisations that really sign: each request is prepared by `requests`, signed, and replayed into Django's client."""

from __future__ import annotations

import json as jsonlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from hashshare.models import Organisation, OrganisationKey
from hashshare.services.invitations import enrol, invite_organisation
from hashshare.wire import keys
from hashshare.wire.signatures import sign_request

HUB = "http://127.0.0.1:8000"
API = f"{HUB}/api/v1/"


CLIENT = Client(raise_request_exception=False)
"""One for all: making a client loads the middleware anew, which looks through every static file."""


def url_of(path: str) -> str:
    """Paths are under the API unless they begin with a slash."""
    return HUB + path if path.startswith("/") else API + path


@dataclass
class Party:
    organisation: Organisation
    key: Ed25519PrivateKey
    client: Client = CLIENT

    @property
    def fingerprint(self) -> str:
        return keys.fingerprint_of(self.key)

    @property
    def row(self) -> OrganisationKey:
        return OrganisationKey.objects.get(fingerprint=self.fingerprint)

    def prepare(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        now: datetime | None = None,
        nonce: str = "",
        key: Ed25519PrivateKey | None = None,
    ) -> requests.PreparedRequest:
        """A signed request, ready to be sent or spoilt."""
        prepared = requests.Request(method, url_of(path), json=json, data=body, headers=headers).prepare()
        signer = key or self.key
        sign_request(prepared, key=signer, now=now or datetime.now(UTC), nonce=nonce)
        return prepared

    def signed(self, method: str, path: str, **parts: Any) -> Any:
        return replay(self.client, self.prepare(method, path, **parts))

    def get(self, path: str, **headers: str) -> Any:
        """By bearer token."""
        return with_authorization(self.client, "GET", path, f"Bearer {self.token()}", **headers)

    def token(self) -> str:
        answer = self.signed("POST", "tokens")
        assert answer.status_code == 201, answer.content
        return str(answer.json()["token"])


def replay(client: Client, prepared: requests.PreparedRequest) -> Any:
    """What a server would have seen of the prepared request."""
    body = prepared.body or b""
    data = body.encode() if isinstance(body, str) else body
    headers = {name: str(value) for name, value in prepared.headers.items() if name.lower() != "content-length"}
    content_type = headers.pop("Content-Type", "application/octet-stream")
    path = str(prepared.url).removeprefix(HUB)
    return client.generic(
        str(prepared.method), path, data=data, content_type=content_type, headers=headers, SERVER_NAME="127.0.0.1"
    )


def with_authorization(client: Client, method: str, path: str, authorization: str, **headers: str) -> Any:
    sent = {"Authorization": authorization} | {name.replace("_", "-"): text for name, text in headers.items()}
    return client.generic(method, url_of(path).removeprefix(HUB), headers=sent, SERVER_NAME="127.0.0.1")


def enrolled(kind: str, name: str, *, domains: tuple[str, ...] = (), country: str = "NL") -> Party:
    """An organisation that was invited and has used its code."""
    now = datetime.now(UTC)
    _, code = invite_organisation(kind=kind, name=name, country=country, domains=domains, now=now)
    key = keys.generate()
    made = enrol(code=code, public_key=keys.public_bytes(key), key_name="machine", now=now)
    return Party(made.organisation, key)


def problem_of(response: Any) -> dict[str, Any]:
    """The problem document, after checking that it is one."""
    assert response.headers["Content-Type"] == "application/problem+json", response.content
    document: dict[str, Any] = jsonlib.loads(response.content)
    assert document["status"] == response.status_code
    assert document["type"] == f"{HUB}/problems/{slug_of(document)}"
    assert document["title"] and document["detail"]
    return document


def slug_of(document: dict[str, Any]) -> str:
    return str(document["type"]).rsplit("/", 1)[1]


def refused(response: Any, status: int, slug: str) -> dict[str, Any]:
    """Assert that the response is this problem, and give the document."""
    document = problem_of(response)
    assert (response.status_code, slug_of(document)) == (status, slug), document
    return document
