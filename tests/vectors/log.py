"""The vectors of the logs; `generate` writes them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, Final

from hashshare.wire import keys
from hashshare.wire.errors import HashshareError
from hashshare.wire.log import (
    ENTRIES,
    Acknowledgement,
    AcknowledgementRow,
    Checkpoint,
    DeliveryRow,
    ErasureRow,
    Frontier,
    Opening,
    PaddingRow,
    Receipt,
    Row,
    Tree,
    Verifier,
    cut,
    entry_of,
    leaf_hash,
    open_checkpoint,
    padding_nonce,
    padding_secret,
    parse_tile_path,
    publication_entry,
    read_row,
    sign_acknowledgement,
    sign_checkpoint,
    tile_path,
    verify_acknowledgement,
)
from tests.vectors.cast import LIST_ID, NOW, key, seed

LOG_KEY: Final = 41
MEMBER_KEY: Final = 51
ORIGIN: Final = "north.example/log/aurora.example"
LIST_NAME: Final = "aurora.example/images"
VERIFIER: Final = Verifier(ORIGIN, keys.public_bytes(key(LOG_KEY)))


class Grown:
    """A log of `entries`."""

    def __init__(self, entries: list[bytes]) -> None:
        self.bodies: dict[tuple[int, int], bytes] = {}
        frontier = Frontier(0, self.read)
        for tile in frontier.extend(entries):
            self.bodies[tile.level, tile.index] = tile.body
        self.tree = Tree(frontier.size, self.read)
        self.checkpoint = Checkpoint(ORIGIN, frontier.size, frontier.root())
        self.note = sign_checkpoint(self.checkpoint, key=key(LOG_KEY))

    def read(self, level: int, index: int, width: int) -> bytes:
        return cut(level, self.bodies[level, index], width)

    def receipt(self, index: int) -> Receipt:
        return Receipt(index, tuple(self.tree.inclusion_proof(index)), self.note)


def trees() -> dict[str, Any]:
    """Entry number n is the publication log's for the file `metadata n`."""
    entries = [publication_entry(b"metadata %d" % number) for number in range(600)]
    log = Grown(entries)
    tiles = []
    for (level, index), body in sorted(log.bodies.items()):
        width = 256 if index < 600 >> 8 * (max(level, 0) + 1) else (600 >> 8 * max(level, 0)) % 256
        digest = hashlib.sha256(body).hexdigest()
        tiles.append({"path": tile_path(level, index, width), "bytes": len(body), "sha256": digest})
    return {
        "entries": 600,
        "first_entry": entries[0].hex(),
        "first_leaf_hash": leaf_hash(entries[0]).hex(),
        "roots": {
            str(size): Grown(entries[:size]).checkpoint.root.hex()
            for size in (0, 1, 2, 3, 5, 8, 255, 256, 257, 512, 513, 600)
        },
        "tiles": tiles,
        "inclusion": [
            {"index": index, "size": size, "proof": hexed(Grown(entries[:size]).tree.inclusion_proof(index))}
            for index, size in ((0, 1), (0, 5), (4, 5), (255, 257), (256, 257), (0, 600), (511, 600), (599, 600))
        ],
        "consistency": [
            {"old": old, "new": new, "proof": hexed(Grown(entries[:new]).tree.consistency_proof(old))}
            for old, new in ((1, 2), (3, 5), (4, 5), (255, 256), (256, 600), (257, 600), (600, 600))
        ],
        "paths": {
            tile_path(level, index, width): {"level": level, "index": index, "width": width}
            for level, index, width in ((0, 0, 256), (0, 1_234_067, 256), (1, 1_000, 3), (ENTRIES, 999, 255))
        },
    }


def openings() -> list[Opening]:
    common: dict[str, Any] = {"organisation": "cobalt", "list_name": LIST_NAME, "list_id": LIST_ID, "at": NOW}
    fingerprint = keys.fingerprint_of(key(MEMBER_KEY))
    digest = hashlib.sha256(b"manifest").hexdigest()
    rows: list[Row] = [
        DeliveryRow(version=1, acknowledged=None, manifest_sha256=digest, bytes=812, key=fingerprint, **common),
        AcknowledgementRow(
            version=1, purged=0, manifest_sha256=digest, statement_sha256=sha256(statement()), key=fingerprint, **common
        ),
        DeliveryRow(version=2, acknowledged=1, manifest_sha256=digest, bytes=934, key="", **common),
        ErasureRow(until=NOW, count=2, at=NOW),
    ]
    given = [Opening(hashlib.sha256(b"nonce %d" % n).digest(), row.to_row()) for n, row in enumerate(rows)]
    secret = padding_secret(key(LOG_KEY))
    return [*given, Opening(padding_nonce(secret, origin=ORIGIN, index=4), PaddingRow(4).to_row())]


def receipts() -> dict[str, Any]:
    given = openings()
    log = Grown([entry_of(opening) for opening in given])
    return {
        "seed": seed(LOG_KEY),
        "public": VERIFIER.public.hex(),
        "origin": ORIGIN,
        "verifier_key": VERIFIER.to_text(),
        "padding_secret": padding_secret(key(LOG_KEY)).hex(),
        "checkpoint": log.note,
        "size": log.checkpoint.size,
        "root": log.checkpoint.root.hex(),
        "leaves": [
            {
                "nonce": opening.nonce.hex(),
                "row": opening.row,
                "entry": entry_of(opening).hex(),
                "receipt": log.receipt(index).to_text(),
            }
            for index, opening in enumerate(given)
        ],
    }


def refused() -> dict[str, Any]:
    """`read` says what the text is given as; a receipt is one of the first leaf of log-receipts.json."""
    given = openings()
    log = Grown([entry_of(opening) for opening in given])
    note, receipt, row = log.note, log.receipt(0).to_text(), given[0].row
    other = Verifier(ORIGIN, keys.public_bytes(key(LOG_KEY + 1)))
    cases: list[tuple[str, str, str]] = [
        ("checkpoint", "a size with a leading zero", resigned(note.replace("\n5\n", "\n05\n"))),
        ("checkpoint", "a negative size", resigned(note.replace("\n5\n", "\n-5\n"))),
        ("checkpoint", "a root that is cut off", resigned(note.replace("=\n\n", "\n\n"))),
        ("checkpoint", "of another log", resigned(note.replace(ORIGIN, "north.example/log/borealis.example", 1))),
        ("checkpoint", "a changed size under the old signature", note.replace("\n5\n", "\n6\n")),
        ("checkpoint", "signed by nobody", note[: note.index("\u2014")]),
        ("checkpoint", "signed by another key of that name", sign_checkpoint_as(LOG_KEY + 1, log.checkpoint)),
        ("checkpoint", "another key hash before the signature", note.replace(hashed(VERIFIER), hashed(other))),
        ("checkpoint", "no final newline", note.removesuffix("\n")),
        ("checkpoint", "a carriage return", note.replace("\n5\n", "\r\n5\n")),
        ("receipt", "another version", receipt.replace("@v1", "@v2")),
        ("receipt", "an index with a leading zero", receipt.replace("index 0", "index 00")),
        ("receipt", "the index of another leaf", receipt.replace("index 0", "index 1")),
        ("receipt", "beyond the log", receipt.replace("index 0", "index 5")),
        ("receipt", "a line of the proof too few", without_line(receipt, 2)),
        ("receipt", "base64 that is not canonical", receipt.replace("=\n", "\n", 1)),
        ("row", "a space", row.replace(":", ": ", 1)),
        ("row", "names out of order", '{"number":1,"kind":"padding"}'),
        ("row", "a name given twice", '{"kind":"padding","number":1,"number":1}'),
        ("row", "a number with a fraction", '{"kind":"padding","number":1.0}'),
        ("row", "an unknown kind", '{"kind":"gift","number":1}'),
        *(("path", path, path) for path in ("tile/0/0", "tile/00/000", "tile/0/x000/001", "tile/0/000.p/256")),
    ]
    return {
        "cases": [{"read": read, "case": name, "text": text, "problem": slug(read, text)} for read, name, text in cases]
    }


def slug(read: str, text: str) -> str:
    """The problem for which it is refused."""
    try:
        READERS[read](text)
    except HashshareError as refusal:
        return refusal.slug
    raise AssertionError(text)


READERS: Final[dict[str, Callable[[str], object]]] = {
    "checkpoint": lambda text: open_checkpoint(text, VERIFIER, origin=ORIGIN),
    "receipt": lambda text: Receipt.parse(text).verify(entry_of(openings()[0]), VERIFIER, origin=ORIGIN),
    "row": read_row,
    "path": parse_tile_path,
}


def statement() -> bytes:
    return sign_acknowledgement(acknowledged(), key=key(MEMBER_KEY))


def acknowledged() -> Acknowledgement:
    return Acknowledgement(
        organisation="cobalt",
        hub="https://north.example",
        list_name=LIST_NAME,
        list_id=LIST_ID,
        version=1,
        purged=0,
        manifest_sha256=hashlib.sha256(b"manifest").hexdigest(),
        at=NOW,
    )


def acknowledgements() -> dict[str, Any]:
    payload, document = acknowledged().to_bytes(), statement().decode()
    kind = "application/vnd.hashshare.acknowledgement+json"
    edits = {
        "another payload type": document.replace("vnd.hashshare", "vnd.other"),
        "another key's id": document.replace(
            keys.fingerprint_of(key(MEMBER_KEY)), keys.fingerprint_of(key(MEMBER_KEY + 1))
        ),
        "no signature": document[: document.index('"signatures"')] + '"signatures":[]}',
        "a changed payload": document.replace(document[13:17], "eyJG"),
    }
    public = keys.public_bytes(key(MEMBER_KEY))
    cases = []
    for name, text in edits.items():
        try:
            verify_acknowledgement(text.encode(), public_keys=[public])
        except HashshareError as refusal:
            cases.append({"case": name, "document": text, "problem": refusal.slug})
    assert len(cases) == len(edits)
    return {
        "seed": seed(MEMBER_KEY),
        "public": public.hex(),
        "payload": payload.decode(),
        "signed": (b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)).decode(),
        "document": document,
        "refused": cases,
    }


def hexed(proof: list[bytes]) -> list[str]:
    return [hashed.hex() for hashed in proof]


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def hashed(verifier: Verifier) -> str:
    """The characters of a signature that the key's hash alone decides."""
    return base64.b64encode(verifier.key_hash).decode()[:5]


def sign_checkpoint_as(number: int, checkpoint: Checkpoint) -> str:
    return sign_checkpoint(checkpoint, key=key(number))


def resigned(note: str) -> str:
    """The note's text as it now stands, signed by the log's key."""
    text = note[: note.index("\n\n") + 1]
    signature = VERIFIER.key_hash + key(LOG_KEY).sign(text.encode())
    return f"{text}\n\u2014 {ORIGIN} {base64.b64encode(signature).decode()}\n"


def without_line(text: str, number: int) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[:number], *lines[number + 1 :]])
