"""What a hub tells the hub that it mirrors a list from: how far withdrawals got among its members, what they signed.

A report is a DSSE document signed with the sender's peer key. Each is an addition: it replaces what it repeats and
takes nothing else back, so that much is told in several. Pure: no network, no tables. docs/federation.md has the
format.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire.documents import Fields, read_object, write_object, write_time
from hashshare.wire.errors import MalformedLog, MalformedReport
from hashshare.wire.limits import KIB, MAX_JSON_BODY
from hashshare.wire.log.acknowledgements import MAX_ACKNOWLEDGEMENT, Acknowledgement, verify_acknowledgement
from hashshare.wire.log.dsse import open_document, sign_document
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.manifest import HUB, LIST_NAME
from hashshare.wire.objects import LIST_ID
from hashshare.wire.plain_text import read_name

T = TypeVar("T")

PAYLOAD_TYPE: Final = "application/vnd.hashshare.report+json"
FORMAT: Final = "hashshare-report/1"
DOCUMENTS: Final = "documents"
COUNTS: Final = "counts"
MAX_REPORT: Final = MAX_JSON_BODY
ROOM: Final = 640 * KIB
"""Bytes that hubs, members and statements of one report take in its payload; in base64 less than a body may be."""
MAX_PATH: Final = 8
MAX_HUBS: Final = 64
MAX_WITHDRAWALS: Final = 50
"""Of one hub in one report, the newest."""
MAX_MEMBERS: Final = 1_000
MAX_STATEMENTS: Final = 500
MAX_COUNT: Final = 1_000_000
"""Members of one hub: more than there are organisations that could be any, and it fits wherever it is kept."""
MAX_SECONDS: Final = 20 * 366 * 86_400

ORGANISATION: Final = re.compile(r"[-a-zA-Z0-9_]{1,63}")
COUNTRY: Final = re.compile(r"[A-Z]{2}")

Path = tuple[str, ...]
"""The hubs between the sender and the one that is spoken of, that one included: empty for the sender itself."""


@dataclass(frozen=True, slots=True)
class WithdrawalCount:
    """Of the members of one hub, how many were entitled to a release with withdrawals when the hub served it, and how
    many have applied it, purged what it took back, or are overdue. Seconds are from then until applied.
    """

    version: int
    served_at: datetime
    entitled: int
    applied: int
    purged: int
    overdue: int
    median_seconds: int | None = None
    p95_seconds: int | None = None

    def to_value(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "served_at": write_time(self.served_at),
            "entitled": self.entitled,
            "applied": self.applied,
            "purged": self.purged,
            "overdue": self.overdue,
            "median_seconds": self.median_seconds,
            "p95_seconds": self.p95_seconds,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        read = cls(
            version=fields.count("version", at_least=1),
            served_at=fields.moment("served_at"),
            entitled=fields.count("entitled"),
            applied=fields.count("applied"),
            purged=fields.count("purged"),
            overdue=fields.count("overdue"),
            median_seconds=_or_null(fields, "median_seconds", fields.count),
            p95_seconds=_or_null(fields, "p95_seconds", fields.count),
        )
        if read.entitled > MAX_COUNT or (read.p95_seconds or 0) > MAX_SECONDS:
            fields.fail("a number is beyond all measure")
        if not read.purged <= read.applied <= read.entitled - read.overdue:
            fields.fail("more have applied, purged or are overdue than there are")
        known = (read.median_seconds is not None, read.p95_seconds is not None)
        if known != (read.applied > 0,) * 2 or (read.median_seconds or 0) > (read.p95_seconds or 0):
            fields.fail("the times do not fit the numbers")
        return read


@dataclass(frozen=True, slots=True)
class HubCounts:
    """One hub's withdrawals. `mode`: whether its members' statements come with it."""

    path: Path
    mode: str
    withdrawals: tuple[WithdrawalCount, ...]

    def to_value(self) -> dict[str, Any]:
        return {"path": list(self.path), "mode": self.mode, "withdrawals": [it.to_value() for it in self.withdrawals]}

    @classmethod
    def read(cls, fields: Fields) -> Self:
        rows = tuple(map(WithdrawalCount.read, fields.each("withdrawals", limit=MAX_WITHDRAWALS)))
        if len({row.version for row in rows}) != len(rows):
            fields.fail("withdrawals names a version twice")
        return cls(_path(fields), _mode(fields), rows)


@dataclass(frozen=True, slots=True)
class NamedMember:
    """A member that the list was granted to at its hub. `name` is empty unless the member agreed to be named to others.

    `until`: when its access ended or will end; `access`: whether it has any now.
    """

    path: Path
    organisation: str
    name: str
    country: str
    since: datetime
    until: datetime | None
    access: bool

    def to_value(self) -> dict[str, Any]:
        return {
            "path": list(self.path),
            "organisation": self.organisation,
            "name": self.name,
            "country": self.country,
            "since": write_time(self.since),
            "until": write_time(self.until) if self.until else None,
            "access": self.access,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        access = fields.take("access")
        if type(access) is not bool:
            fields.fail("access is neither true nor false")
        return cls(
            path=_path(fields),
            organisation=fields.text("organisation", pattern=ORGANISATION),
            name=read_name(fields, "name", least=0),
            country=fields.text("country", pattern=COUNTRY),
            since=fields.moment("since"),
            until=_or_null(fields, "until", fields.moment),
            access=access,
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """A member's acknowledgement as its hub took it: `document` byte for byte; `key`, raw, is whose signature it bears,
    on that hub's word.
    """

    path: Path
    received_at: datetime
    key: bytes
    document: str

    def to_value(self) -> dict[str, Any]:
        return {
            "path": list(self.path),
            "received_at": write_time(self.received_at),
            "key": base64.b64encode(self.key).decode(),
            "document": self.document,
        }

    @classmethod
    def read(cls, fields: Fields) -> Self:
        try:
            key = decode_base64(fields.text("key"), what="key", length=32)
        except MalformedLog as fault:
            raise MalformedReport(fault.message) from fault
        return cls(
            path=_path(fields),
            received_at=fields.moment("received_at"),
            key=key,
            document=fields.text("document", limit=MAX_ACKNOWLEDGEMENT),
        )


Item = HubCounts | NamedMember | Statement


@dataclass(frozen=True, slots=True)
class Report:
    """`sender` and `receiver` are hubs' names. `sequence` rises with each report of a list between the two."""

    sender: str
    receiver: str
    list_name: str
    list_id: str
    sequence: int
    at: datetime
    mode: str
    hubs: tuple[HubCounts, ...] = ()
    members: tuple[NamedMember, ...] = ()
    statements: tuple[Statement, ...] = ()

    def to_bytes(self) -> bytes:
        """What is signed."""
        return write_object(
            {
                "format": FORMAT,
                "from": self.sender,
                "to": self.receiver,
                "list": self.list_name,
                "list_id": self.list_id,
                "sequence": self.sequence,
                "at": write_time(self.at),
                "mode": self.mode,
                "hubs": [it.to_value() for it in self.hubs],
                "members": [it.to_value() for it in self.members],
                "statements": [it.to_value() for it in self.statements],
            }
        )

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Raises MalformedReport; unknown fields are passed over."""
        value = read_object(payload, limit=MAX_REPORT, error=MalformedReport, what="report's payload")
        fields = Fields(value, where="report", error=MalformedReport)
        if fields.text("format") != FORMAT:
            fields.fail(f"format is not {FORMAT}")
        read = cls(
            sender=fields.text("from", pattern=HUB),
            receiver=fields.text("to", pattern=HUB),
            list_name=fields.text("list", pattern=LIST_NAME, limit=320),
            list_id=fields.text("list_id", pattern=LIST_ID),
            sequence=fields.count("sequence", at_least=1),
            at=fields.moment("at"),
            mode=_mode(fields),
            hubs=tuple(map(HubCounts.read, fields.each("hubs", limit=MAX_HUBS))),
            members=tuple(map(NamedMember.read, fields.each("members", limit=MAX_MEMBERS))),
            statements=tuple(map(Statement.read, fields.each("statements", limit=MAX_STATEMENTS))),
        )
        _check_whole(read, fields)
        return read

    def hub_of(self, path: Path) -> str:
        """The name of the hub that is spoken of."""
        return path[-1] if path else self.sender


def sign_report(report: Report, *, key: Ed25519PrivateKey) -> bytes:
    """The DSSE document."""
    return sign_document(report.to_bytes(), payload_type=PAYLOAD_TYPE, key=key)


def verify_report(body: bytes, *, peer_key: bytes) -> Report:
    """What the document says. Raises MalformedReport, or BadSignature when that key (raw) did not sign it."""
    payload, _ = open_document(
        body,
        payload_type=PAYLOAD_TYPE,
        public_keys=[peer_key],
        limit=MAX_REPORT,
        error=MalformedReport,
        what="report",
        whose="the hub that sends it",
    )
    return Report.parse(payload)


def read_statement(statement: Statement, report: Report) -> tuple[Acknowledgement, str]:
    """What the member signed, and its key's fingerprint: about this list, at the hub that it is said to come from.

    Raises MalformedAcknowledgement, BadSignature, MalformedReport.
    """
    stated, key = verify_acknowledgement(statement.document.encode(), public_keys=[statement.key])
    if (stated.list_name, stated.list_id) != (report.list_name, report.list_id):
        raise MalformedReport(f"A statement of {stated.organisation} is about another list, {stated.list_name}.")
    hub = report.hub_of(statement.path)
    if urlsplit(stated.hub).netloc != hub:
        raise MalformedReport(f"A statement of {stated.organisation} is for {stated.hub}, which is not {hub}.")
    return stated, key


def fitting(items: Iterable[Item]) -> list[Item]:
    """As many of the first items as one report holds."""
    left = {HubCounts: MAX_HUBS, NamedMember: MAX_MEMBERS, Statement: MAX_STATEMENTS}
    taken, room = list[Item](), ROOM
    for item in items:
        room -= len(write_object(item.to_value()))
        left[type(item)] -= 1
        if room < 0 or left[type(item)] < 0:
            break
        taken.append(item)
    return taken


def _check_whole(report: Report, fields: Fields) -> None:
    items: list[Item] = [*report.hubs, *report.members, *report.statements]
    if any({report.sender, report.receiver} & set(it.path) for it in items):
        fields.fail("a path leads through the hub that sends or receives it")
    if len({it.path for it in report.hubs}) != len(report.hubs):
        fields.fail("hubs names one twice")
    if len({(it.path, it.organisation) for it in report.members}) != len(report.members):
        fields.fail("members names one twice")
    if report.mode == COUNTS and (report.members or report.statements or any(it.mode != COUNTS for it in report.hubs)):
        fields.fail("of a hub that agreed to numbers alone, members and statements are told")


def _path(fields: Fields) -> Path:
    return fields.texts("path", pattern=HUB, limit=MAX_PATH)


def _mode(fields: Fields) -> str:
    mode = fields.text("mode")
    if mode not in (DOCUMENTS, COUNTS):
        fields.fail(f"mode is neither {DOCUMENTS} nor {COUNTS}")
    return mode


def _or_null(fields: Fields, name: str, read: Callable[[str], T]) -> T | None:
    if fields.rest.get(name, 0) is None:
        fields.take(name)
        return None
    return read(name)
