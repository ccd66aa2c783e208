"""What a leaf of a delivery log says, to those who hold its opening: one line of canonical JSON.

Canonical: RFC 8785 restricted to text, whole numbers and null: names in order, no spaces, UTF-8. A row is committed to
as text, so there is one text for each row. Unknown fields are allowed and passed over; an unknown kind is not.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from hashshare.wire.documents import Fields, read_object, write_time
from hashshare.wire.errors import MalformedLog, UnknownRequirement
from hashshare.wire.log.leaves import MAX_ROW
from hashshare.wire.manifest import HUB, LIST_NAME
from hashshare.wire.objects import LIST_ID, SHA256

LINE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,255}")
KEY: Final = re.compile(r"[^\x00-\x1f\x7f]{0,255}")


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """The hub served the manifest of `version` to `organisation` (its slug), which `key` fetched.

    `acknowledged`: the last version that the organisation had acknowledged by then, or None. `bytes`: of the manifest.
    """

    kind: ClassVar[str] = "delivery"

    organisation: str
    list_name: str
    list_id: str
    version: int
    acknowledged: int | None
    manifest_sha256: str
    bytes: int
    at: datetime
    key: str

    def to_row(self) -> str:
        return write_row(
            {
                "kind": self.kind,
                "organisation": self.organisation,
                "list": self.list_name,
                "list_id": self.list_id,
                "version": self.version,
                "acknowledged": self.acknowledged,
                "manifest_sha256": self.manifest_sha256,
                "bytes": self.bytes,
                "at": write_time(self.at),
                "key": self.key,
            }
        )

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(
            organisation=fields.text("organisation", pattern=LINE),
            list_name=fields.text("list", pattern=LIST_NAME),
            list_id=fields.text("list_id", pattern=LIST_ID),
            version=fields.count("version", at_least=1),
            acknowledged=_count_or_null(fields, "acknowledged"),
            manifest_sha256=fields.text("manifest_sha256", pattern=SHA256),
            bytes=fields.count("bytes"),
            at=fields.moment("at"),
            key=fields.text("key", pattern=KEY),
        )


@dataclass(frozen=True, slots=True)
class AcknowledgementRow:
    """`organisation` stated, in the document with `statement_sha256` signed by `key`, that it applied `version` and
    holds nothing any more that was withdrawn up to version `purged`.
    """

    kind: ClassVar[str] = "acknowledgement"

    organisation: str
    list_name: str
    list_id: str
    version: int
    purged: int
    manifest_sha256: str
    at: datetime
    statement_sha256: str
    key: str

    def to_row(self) -> str:
        return write_row({"kind": self.kind, **_statement_to_json(self)})

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(**_read_statement(fields))


@dataclass(frozen=True, slots=True)
class RelayedRow:
    """An acknowledgement that was given at another hub: `organisation` is its slug there, `hub` that hub's name, `via`
    the peer that brought it here, as its word that `key` is that organisation's. The rest as in AcknowledgementRow.
    """

    kind: ClassVar[str] = "relayed"

    hub: str
    via: str
    organisation: str
    list_name: str
    list_id: str
    version: int
    purged: int
    manifest_sha256: str
    at: datetime
    statement_sha256: str
    key: str

    def to_row(self) -> str:
        return write_row({"kind": self.kind, "hub": self.hub, "via": self.via, **_statement_to_json(self)})

    @classmethod
    def read(cls, fields: Fields) -> Self:
        hub, via = fields.text("hub", pattern=HUB), fields.text("via", pattern=HUB)
        return cls(hub=hub, via=via, **_read_statement(fields))


def _statement_to_json(row: AcknowledgementRow | RelayedRow) -> dict[str, Any]:
    """What is told of a member's statement, wherever it was given."""
    return {
        "organisation": row.organisation,
        "list": row.list_name,
        "list_id": row.list_id,
        "version": row.version,
        "purged": row.purged,
        "manifest_sha256": row.manifest_sha256,
        "at": write_time(row.at),
        "statement_sha256": row.statement_sha256,
        "key": row.key,
    }


def _read_statement(fields: Fields) -> dict[str, Any]:
    return {
        "organisation": fields.text("organisation", pattern=LINE),
        "list_name": fields.text("list", pattern=LIST_NAME),
        "list_id": fields.text("list_id", pattern=LIST_ID),
        "version": fields.count("version", at_least=1),
        "purged": fields.count("purged"),
        "manifest_sha256": fields.text("manifest_sha256", pattern=SHA256),
        "at": fields.moment("at"),
        "statement_sha256": fields.text("statement_sha256", pattern=SHA256),
        "key": fields.text("key", pattern=KEY),
    }


@dataclass(frozen=True, slots=True)
class PaddingRow:
    """Nothing happened: the log was filled up. `number` is the leaf's index."""

    kind: ClassVar[str] = "padding"

    number: int

    def to_row(self) -> str:
        return write_row({"kind": self.kind, "number": self.number})

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(fields.count("number"))


@dataclass(frozen=True, slots=True)
class ErasureRow:
    """At `at` the hub erased the openings of `count` leaves from before `until`."""

    kind: ClassVar[str] = "erasure"

    until: datetime
    count: int
    at: datetime

    def to_row(self) -> str:
        return write_row(
            {"kind": self.kind, "until": write_time(self.until), "count": self.count, "at": write_time(self.at)}
        )

    @classmethod
    def read(cls, fields: Fields) -> Self:
        return cls(until=fields.moment("until"), count=fields.count("count"), at=fields.moment("at"))


Row = DeliveryRow | AcknowledgementRow | RelayedRow | PaddingRow | ErasureRow
KINDS: Final[dict[str, type[Row]]] = {
    kind.kind: kind for kind in (DeliveryRow, AcknowledgementRow, RelayedRow, PaddingRow, ErasureRow)
}


def read_row(text: str) -> Row:
    """Raises MalformedLog for what is no row, UnknownRequirement for a kind that a newer version added."""
    try:
        body = text.encode("utf-8")
    except UnicodeEncodeError as fault:
        raise MalformedLog("A row is UTF-8.") from fault
    value = read_object(body, limit=MAX_ROW, error=MalformedLog, what="row")
    if write_row(value) != text:
        raise MalformedLog("The row is not written in the one form that rows have.")
    fields = Fields(value, where="row", error=MalformedLog)
    kind = fields.text("kind", limit=64)
    if kind not in KINDS:
        raise UnknownRequirement(f"A row of the log is of the kind {kind!r}, which this version does not know.")
    return KINDS[kind].read(fields)


def write_row(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _count_or_null(fields: Fields, name: str) -> int | None:
    if fields.rest.get(name, 0) is None:
        fields.take(name)
        return None
    return fields.count(name, at_least=1)
