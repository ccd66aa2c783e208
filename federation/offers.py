"""What a hub offers to another: publishers and their lists, as that one may mirror them. Strict reading, plain writing.

Nothing here is signed by a publisher, so nothing here is believed: it names what to ask for, and what to show before
anything was verified. No network and no tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hashshare.wire.documents import Fields, read_object
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import MalformedOffers
from hashshare.wire.limits import MAX_ALGORITHMS, MIB
from hashshare.wire.manifest import DOMAIN, HUB, MAX_COLUMNS, Redistribution
from hashshare.wire.objects import LIST_ID, SHA256
from hashshare.wire.plain_text import read_name

MAX_OFFERS: Final = 16 * MIB
MAX_PUBLISHERS: Final = 1_000
MAX_LISTS: Final = 1_000
MAX_PATH: Final = 16
"""Hubs from the home hub on. Nobody knows why more of them should be in between."""
MAX_TERMS: Final = 200_000

MEMBERS: Final = ("hub", "each")
"""Who decides which members of the other hub read a list: that hub, or its publisher for each of them."""
EVIDENCE: Final = ("documents", "counts")

_TEXT: Final = re.compile(r"[^\x00]*")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FINGERPRINT: Final = re.compile(rf"({SHA256.pattern})?")


@dataclass(frozen=True, slots=True)
class OfferedList:
    """`list_id` is its TUF role. `members` and `evidence` are words of MEMBERS and EVIDENCE."""

    list_id: str
    slug: str
    title: str
    description: str
    algorithms: tuple[str, ...]
    scheme: str
    columns: tuple[str, ...]
    terms: str
    redistribution: Mapping[str, Any]
    poll_seconds: int
    deadline_hours: int
    members: str
    evidence: str

    @property
    def fmt(self) -> ListFormat:
        """Raises UsageError (UnknownAlgorithm) for what only a newer version knows."""
        return ListFormat(self.algorithms, self.scheme, self.columns)

    @property
    def policy(self) -> Redistribution:
        """What is said of it; what its publisher signed is in the manifest alone."""
        return Redistribution.read(Fields(self.redistribution, where="redistribution", error=MalformedOffers))

    @property
    def terms_digest(self) -> str:
        return hashlib.sha256(self.terms.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.list_id,
            "slug": self.slug,
            "title": self.title,
            "description": self.description,
            "algorithms": list(self.algorithms),
            "scheme": self.scheme,
            "columns": list(self.columns),
            "terms": self.terms,
            "terms_digest": self.terms_digest,
            "redistribution": dict(self.redistribution),
            "poll_seconds": self.poll_seconds,
            "deadline_hours": self.deadline_hours,
            "members": self.members,
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class OfferedPublisher:
    """`root` is the fingerprint of root version 1, empty where there is none yet; `path` the hubs from the home hub to
    the one that offers, by name, both included.
    """

    domain: str
    organisation: str
    country: str
    root: str
    path: tuple[str, ...]
    lists: tuple[OfferedList, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "organisation": {"name": self.organisation, "country": self.country},
            "root_fingerprint": self.root,
            "path": list(self.path),
            "lists": [each.to_json() for each in self.lists],
        }


def parse_offers(body: bytes) -> tuple[OfferedPublisher, ...]:
    """Raises MalformedOffers; fields of newer versions are passed over."""
    value = read_object(body, limit=MAX_OFFERS, error=MalformedOffers, what="peer's offers")
    fields = Fields(value, where="offers", error=MalformedOffers)
    found = tuple(map(_publisher, fields.each("publishers", limit=MAX_PUBLISHERS)))
    ids = [each.list_id for publisher in found for each in publisher.lists]
    if len(set(ids)) != len(ids) or len({publisher.domain for publisher in found}) != len(found):
        fields.fail("a publisher or a list is named twice")
    return found


def _publisher(fields: Fields) -> OfferedPublisher:
    organisation = fields.nested("organisation")
    made = OfferedPublisher(
        domain=fields.text("domain", pattern=DOMAIN),
        organisation=read_name(organisation, "name"),
        country=organisation.text("country", pattern=_COUNTRY),
        root=fields.text("root_fingerprint", pattern=_FINGERPRINT),
        path=fields.texts("path", pattern=HUB, limit=MAX_PATH),
        lists=tuple(map(_list, fields.each("lists", limit=MAX_LISTS))),
    )
    if not made.path:
        fields.fail("path is empty")
    if len({each.slug for each in made.lists}) != len(made.lists):
        fields.fail("two lists have one name")
    return made


def _list(fields: Fields) -> OfferedList:
    made = OfferedList(
        list_id=fields.text("id", pattern=LIST_ID),
        slug=fields.text("slug", pattern=_SLUG),
        title=read_name(fields, "title"),
        description=fields.text("description", pattern=_TEXT, limit=10_000),
        algorithms=fields.texts("algorithms", pattern=_NAME, limit=MAX_ALGORITHMS),
        scheme=fields.text("scheme", limit=32),
        columns=fields.texts("columns", pattern=_NAME, limit=MAX_COLUMNS),
        terms=fields.text("terms", pattern=_TEXT, limit=MAX_TERMS),
        redistribution=_redistribution(fields.nested("redistribution")),
        poll_seconds=_within(fields, "poll_seconds", 86_400),
        deadline_hours=_within(fields, "deadline_hours", 8_760),
        members=_one_of(fields, "members", MEMBERS),
        evidence=_one_of(fields, "evidence", EVIDENCE),
    )
    if fields.text("terms_digest", pattern=SHA256) != made.terms_digest:
        fields.fail("terms_digest is not that of the terms")
    return made


def _redistribution(fields: Fields) -> dict[str, Any]:
    return Redistribution.read(fields).to_json()


def _within(fields: Fields, name: str, most: int) -> int:
    value = fields.count(name, at_least=1)
    if value > most:
        fields.fail(f"{name} is above {most}")
    return value


def _one_of(fields: Fields, name: str, words: tuple[str, ...]) -> str:
    word = fields.text(name)
    if word not in words:
        fields.fail(f"{name} is not one of {', '.join(words)}")
    return word
