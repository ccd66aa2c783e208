"""What hubs tell one another, as documents: strict reading, plain writing, no network and no tables."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from hashshare.wire.documents import Fields, read_object, write_object
from hashshare.wire.errors import MalformedDescriptor, MalformedLog, MalformedReport
from hashshare.wire.limits import KIB
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.manifest import HUB, LIST_NAME
from hashshare.wire.plain_text import in_a_line, read_name

MAX_DESCRIPTOR: Final = 64 * KIB
IDENTITY: Final = "hashshare-hub/1"
KEYS: Final = ("peer_key", "witness_key", "log_key")
MOST_LISTS: Final = 10_000
MOST_DECISIONS: Final = 1_000
_MEMBERS: Final = re.compile(r"each|hub")
_EVIDENCE: Final = re.compile(r"(documents|counts)?")
_DECIDED: Final = re.compile(r"active|denied|revoked")
_STATE: Final = re.compile(r"[a-z]{0,16}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)
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
            url=read_name(fields, "url", most=400).rstrip("/"),
            title=read_name(fields, "name"),
            country=fields.text("country", pattern=_COUNTRY),
            version=read_name(fields, "version", most=100),
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
        return hashlib.sha256(self.identity).hexdigest()

    @property
    def identity(self) -> bytes:
        """What the fingerprint is of: JSON in this order of names, without spaces, and a line feed."""
        identity: Mapping[str, Any] = {
            "format": IDENTITY,
            "hub": self.hub,
            "url": self.url,
            **{name: getattr(self, name).hex() for name in KEYS},
        }
        return write_object(identity)


def _key(fields: Fields, name: str) -> bytes:
    try:
        return decode_base64(fields.text(name), what=name, length=32)
    except MalformedLog as fault:
        raise MalformedDescriptor(fault.message) from fault


@dataclass(frozen=True, slots=True)
class ToldTerms:
    """What a list's home says of a list that this hub is or was subscribed to: see `federation.models.TakenTerms`."""

    list: str
    given: bool
    why: str
    members: str
    evidence: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        given = fields.take("given")
        if not isinstance(given, bool):
            fields.fail("given is not true or false")
        return cls(
            list=fields.text("list", pattern=LIST_NAME, limit=320),
            given=given,
            why=_words(fields, "why"),
            members=fields.text("members", pattern=_MEMBERS),
            evidence=fields.text("evidence", pattern=_EVIDENCE),
        )


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """A decision of a list's publisher on a member of this hub; `id` is that of the member's subscription here."""

    number: int
    id: uuid.UUID
    list: str
    state: str
    decided_at: datetime
    ends_at: datetime | None
    reason: str

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            number=fields.count("number", at_least=1),
            id=uuid.UUID(fields.text("id", pattern=_UUID)),
            list=fields.text("list", pattern=LIST_NAME, limit=320),
            state=fields.text("state", pattern=_DECIDED),
            decided_at=_moment(fields, "decided_at"),
            ends_at=None if fields.rest.get("ends_at") is None else _moment(fields, "ends_at"),
            reason=_words(fields, "reason"),
        )


@dataclass(frozen=True, slots=True)
class Decisions:
    """The answer to GET peers/decisions. `newest` is the number of the last decision that there is."""

    terms: tuple[ToldTerms, ...]
    decisions: tuple[ToldDecision, ...]
    newest: int

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises MalformedReport; fields of newer versions are passed over."""
        fields = Fields(value, where="decisions", error=MalformedReport)
        return cls(
            terms=tuple(ToldTerms.read(each) for each in fields.each("terms", limit=MOST_LISTS)),
            decisions=tuple(ToldDecision.read(each) for each in fields.each("decisions", limit=MOST_DECISIONS)),
            newest=fields.count("newest"),
        )


@dataclass(frozen=True, slots=True)
class TakenRequest:
    """What became of a relayed request at the list's home: its state there, or why it was not taken."""

    id: uuid.UUID
    state: str
    refused: str

    @classmethod
    def parse_all(cls, value: object) -> tuple[Self, ...]:
        """Of the answer to POST peers/requests. Raises MalformedReport."""
        fields = Fields(value, where="requests", error=MalformedReport)
        return tuple(
            cls(
                uuid.UUID(each.text("id", pattern=_UUID)),
                each.text("state", pattern=_STATE),
                _words(each, "refused"),
            )
            for each in fields.each("requests", limit=MOST_LISTS)
        )


def _words(fields: Fields, name: str) -> str:
    """A person's, at the other hub: what cannot be shown of them holds nothing else up."""
    return in_a_line(fields.text(name, limit=500))


def _moment(fields: Fields, name: str) -> datetime:
    """With parts of a second, which tell one decision from the next."""
    try:
        found = datetime.fromisoformat(fields.text(name, pattern=_TIME))
    except ValueError:
        fields.fail(f"{name} is not a time")
    return found.astimezone(UTC)
