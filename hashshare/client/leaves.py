"""One leaf of a publisher's own log, and whether what the hub says of it is so. Pure: a document in, its row out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from hashshare.client.member_keys import MemberKeys
from hashshare.wire import keys
from hashshare.wire.errors import (
    BadSignature,
    MalformedLog,
    MissingOpening,
    UnknownRelease,
    UsageError,
    WrongOpening,
)
from hashshare.wire.log import (
    AcknowledgementRow,
    DeliveryRow,
    Opening,
    PaddingRow,
    RelayedRow,
    Row,
    check_opening,
    read_row,
    verify_acknowledgement,
)
from hashshare.wire.log.notes import decode_base64

STATED: Final = ("organisation", "list_name", "list_id", "version", "purged", "manifest_sha256")
"""What a row repeats of its statement."""


@dataclass(frozen=True, slots=True)
class AuditedLeaf:
    """As the hub hands it out. `row` and `nonce` are None where it has no opening; `statement` and `public_key` (raw)
    are there for acknowledgements.
    """

    index: int
    entry: bytes
    row: str | None
    nonce: bytes | None
    erased: bool
    statement: str | None
    public_key: bytes | None

    @classmethod
    def read(cls, document: object) -> AuditedLeaf:
        """Raises MalformedLog."""
        if not isinstance(document, Mapping) or type(document.get("index")) is not int:
            raise MalformedLog("A leaf is an object with an index.")
        texts = {name: document.get(name) for name in ("entry", "row", "nonce", "statement", "public_key")}
        if not all(value is None or isinstance(value, str) for value in texts.values()):
            raise MalformedLog(f"Leaf {document['index']} is not of the required shape.")
        nonce, public = texts["nonce"], texts["public_key"]
        return cls(
            index=document["index"],
            entry=decode_base64(texts["entry"] or "", what="entry"),
            row=texts["row"],
            nonce=None if nonce is None else decode_base64(nonce, what="nonce"),
            erased=document.get("erased") is True,
            statement=texts["statement"],
            public_key=None if public is None else decode_base64(public, what="public key"),
        )


@dataclass(slots=True)
class Known:
    """What the publisher knows without the hub's log: its domain, and what it published.

    `digests`: (list id, version) -> the manifest's SHA-256, of those versions that this machine knows; a version that
    is met first in the log is held to what is said of it there first. `newest`: list id -> its newest version.
    `member_keys`: of the organisations whose keys it knows from themselves; the hub is believed about no other key of
    theirs.
    """

    domain: str
    digests: dict[tuple[str, int], str] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    member_keys: MemberKeys = field(default_factory=dict)


def check_leaf(leaf: AuditedLeaf, known: Known) -> Row:
    """What the leaf says. Raises MissingOpening, WrongOpening, MalformedLog, UnknownRequirement, BadSignature,
    MalformedAcknowledgement, UnknownRelease.
    """
    if leaf.row is None or leaf.nonce is None:
        raise MissingOpening(f"The hub does not say what leaf {leaf.index} stands for.")
    check_opening(Opening(leaf.nonce, leaf.row), entry=leaf.entry)
    row = read_row(leaf.row)
    if isinstance(row, PaddingRow) and row.number != leaf.index:
        raise WrongOpening(f"The padding of leaf {row.number} stands as leaf {leaf.index}.")
    if isinstance(row, DeliveryRow | AcknowledgementRow | RelayedRow):
        _check_release(row, known)
    if isinstance(row, AcknowledgementRow | RelayedRow):
        _check_statement(row, leaf)
        _check_key(row, known)
    return row


def _check_release(row: DeliveryRow | AcknowledgementRow | RelayedRow, known: Known) -> None:
    """That it is about a list of this publisher, and a manifest that was published under that version."""
    if row.list_name.partition("/")[0] != known.domain:
        raise WrongOpening(f"The row is about {row.list_name}, which is not a list of {known.domain}.")
    if row.version > known.newest.get(row.list_id, row.version):
        raise UnknownRelease(f"{row.list_name} was never published as version {row.version}.")
    if known.digests.setdefault((row.list_id, row.version), row.manifest_sha256) != row.manifest_sha256:
        raise UnknownRelease(f"{row.list_name} version {row.version} was not published with that manifest.")


def signer(row: AcknowledgementRow | RelayedRow) -> str:
    """Who is said to have signed: a short name, of another hub's member with the hub behind it
    (`cobalt@south.example`), since two hubs may call different organisations the same.
    """
    return f"{row.organisation}@{row.hub}" if isinstance(row, RelayedRow) else row.organisation


def _check_key(row: AcknowledgementRow | RelayedRow, known: Known) -> None:
    """That the key is the member's, where that is known from elsewhere than the hub."""
    named = known.member_keys.get(signer(row))
    if named is not None and row.key not in named:
        raise BadSignature(f"{row.key}, which signed for {signer(row)}, is none of the keys that it has told you.")


def _check_statement(row: AcknowledgementRow | RelayedRow, leaf: AuditedLeaf) -> None:
    """That the member signed what the row says of it."""
    if leaf.statement is None or leaf.public_key is None:
        raise BadSignature(f"The hub does not show the statement that {row.organisation} is said to have signed.")
    body = leaf.statement.encode()
    if hashlib.sha256(body).hexdigest() != row.statement_sha256:
        raise BadSignature(f"The statement of {row.organisation} is not the one that was logged.")
    if keys.fingerprint(leaf.public_key) != row.key:
        raise BadSignature(f"The key shown for {row.organisation} is not the one that was logged.")
    try:
        stated, _ = verify_acknowledgement(body, public_keys=[leaf.public_key])
    except UsageError as error:
        raise BadSignature(f"The key shown for {row.organisation} signs nothing.") from error
    if any(getattr(stated, name) != getattr(row, name) for name in STATED):
        raise BadSignature(f"The statement of {row.organisation} does not say what was logged of it.")
    if isinstance(row, RelayedRow) and urlsplit(stated.hub).netloc != row.hub:
        raise BadSignature(f"The statement of {signer(row)} is for {stated.hub}.")
