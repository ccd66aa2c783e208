"""What another hub sends to ours, really signed: as it should, or again, or under another's name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from federation.documents import HubDescriptor
from federation.reports import HubCounts, Report, WithdrawalCount, sign_report
from hashshare.wire import keys
from hashshare.wire.signatures import sign_request
from tests.federation.identities import Identity

Told = tuple[int, str]
"""Status, and the name of the problem."""


@dataclass
class Calls:
    """`sent` are requests by the name that they were given, to be sent again."""

    hub: Identity
    victim: HubDescriptor
    token: str = ""
    sent: dict[str, requests.PreparedRequest] = field(default_factory=dict)
    reports: dict[str, bytes] = field(default_factory=dict)

    def signed(self, method: str, path: str, *, body: bytes | None = None, keyid: str = "") -> requests.PreparedRequest:
        headers = {"Content-Type": "application/json"} if body else {}
        made = requests.Request(method, f"{self.victim.url}/api/v1/{path}", data=body, headers=headers).prepare()
        sign_request(made, key=self.hub.key, keyid=keyid, now=datetime.now(UTC))
        return made

    def status(self) -> Told:
        return told(send(self.signed("GET", "status")))

    def status_as(self, key: str) -> Told:
        """It names the key of another, `key` in hex, as the one that it signs with."""
        return told(send(self.signed("GET", "status", keyid=keys.fingerprint(bytes.fromhex(key)))))

    def fetch_token(self) -> Told:
        answer = send(self.signed("POST", "tokens"))
        self.token = answer.json().get("token", "")
        return told(answer)

    def heads(self) -> Told:
        """By the token that it has from before."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return told(requests.get(f"{self.victim.url}/api/v1/heads", headers=headers, timeout=30))

    def report(self, name: str, list_name: str, list_id: str, sequence: int, entitled: int = 1, to: str = "") -> Told:
        """Of version 2 of the list, which that many members have and nobody has applied."""
        at = datetime.now(UTC)
        counted = WithdrawalCount(2, at - timedelta(minutes=1), entitled, 0, 0, 0)
        made = Report(self.hub.name, to or self.victim.hub, list_name, list_id, sequence, at, "documents")
        made = replace(made, hubs=(HubCounts((), "documents", (counted,)),))
        self.reports[name] = sign_report(made, key=self.hub.key)
        return self.post(name)

    def post(self, name: str) -> Told:
        """The report of that name in a request of its own."""
        self.sent[name] = self.signed("POST", "peers/reports", body=self.reports[name])
        return self.repeat(name)

    def repeat(self, name: str) -> Told:
        """The very request again, as somebody in between could."""
        return told(send(self.sent[name]))

    def forward(self, name: str, document: str) -> Told:
        """A report that another hub signed, as one's own."""
        self.reports[name] = bytes.fromhex(document)
        return self.post(name)

    def document(self, name: str) -> tuple[str]:
        return (self.reports[name].hex(),)


def send(prepared: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(prepared, timeout=30)


def told(answer: requests.Response) -> Told:
    said: dict[str, Any] = answer.json() if answer.status_code >= 400 else {}
    return answer.status_code, str(said.get("type", "")).rpartition("/")[2]
