"""The vectors of cosignatures and of what a witness is asked; `generate` writes them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from hashshare.wire import keys
from hashshare.wire.errors import HashshareError
from hashshare.wire.log import AddCheckpoint, Cosigner, cosign
from hashshare.wire.log import cosignatures as read_cosignatures
from hashshare.wire.log.notes import sign_note, verifier_key
from tests.vectors.cast import NOW, key, seed
from tests.vectors.log import Grown, hexed

WITNESS_KEY: Final = 61
WITNESS: Final = "south.example/witness"
COSIGNER: Final = Cosigner(WITNESS, keys.public_bytes(key(WITNESS_KEY)))
AT: Final = int(NOW.timestamp())


def grown(size: int = 5) -> Grown:
    return Grown([b"entry %d" % number for number in range(size)])


def line(*, name: str = WITNESS, number: int = WITNESS_KEY, at: int = AT, size: int = 5) -> str:
    return cosign(grown(size).checkpoint.to_text(), name=name, key=key(number), at=at).line


def cosigned() -> str:
    return grown().note + line()


def ask(old: int = 3, size: int = 5) -> AddCheckpoint:
    log = grown(size)
    return AddCheckpoint(old, tuple(log.tree.consistency_proof(old)), log.note)


def cosignatures() -> dict[str, Any]:
    log = grown()
    text = log.checkpoint.to_text()
    return {
        "seed": seed(WITNESS_KEY),
        "public": COSIGNER.public.hex(),
        "name": WITNESS,
        "key_hash": COSIGNER.key_hash.hex(),
        "verifier_key": COSIGNER.to_text(),
        "time": AT,
        "checkpoint": log.note,
        "signed": f"cosignature/v1\ntime {AT}\n{text}",
        "cosigned": cosigned(),
        "requests": [
            {"old": old, "size": size, "proof": hexed(list(ask(old, size).proof)), "body": ask(old, size).to_text()}
            for old, size in ((0, 5), (3, 5), (4, 5), (5, 5))
        ],
        "passed_over": [
            {"case": "under another name", "note": log.note + line(name="east.example/witness")},
            {"case": "by another key of that name", "note": log.note + line(number=WITNESS_KEY + 1)},
            {"case": "a note's own signature by the same key and name", "note": log.note + plain(text)},
        ],
        "refused": [
            {"read": read, "case": name, "text": given, "problem": slug(read, given)} for read, name, given in refused()
        ],
    }


def plain(text: str) -> str:
    """The witness's key signing the text as a log would (type 0x01)."""
    return sign_note(text, name=WITNESS, key=key(WITNESS_KEY)).rpartition("\n\n")[2]


def refused() -> list[tuple[str, str, str]]:
    note, body = grown().note, ask().to_text()
    raw = base64.b64decode(line().rpartition(" ")[2])
    return [
        ("cosigned", "of another size", note + line(size=4)),
        ("cosigned", "another time than was signed", note + edited(raw, 11)),
        ("cosigned", "a changed signature", note + edited(raw, 75)),
        ("cosigned", "cut short", note + told(raw[:-1])),
        ("cosigned", "a byte too long", note + told(raw + b"\0")),
        ("cosigned", "beside a right one", cosigned() + edited(raw, 75)),
        ("cosigner", "another hash", COSIGNER.to_text().replace(COSIGNER.key_hash.hex(), "00000000")),
        ("cosigner", "the key of a log", verifier_key(WITNESS, COSIGNER.public)),
        ("cosigner", "no hash", COSIGNER.to_text().replace("+", "", 1)),
        ("request", "no old size", body.partition("\n")[2]),
        ("request", "an old size with a leading zero", body.replace("old 3", "old 03")),
        ("request", "two spaces", body.replace("old 3", "old  3")),
        ("request", "no empty line before the checkpoint", "old 3\n" + note.replace("\n\n", "\n")),
        ("request", "a hash that is cut off", body.replace("=\n", "\n", 1)),
        ("request", "64 hashes", "old 3\n" + f"{base64.b64encode(bytes(32)).decode()}\n" * 64 + "\n" + note),
        ("request", "a carriage return", body.replace("old 3\n", "old 3\r\n")),
    ]


def edited(raw: bytes, at: int) -> str:
    return told(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


def told(raw: bytes) -> str:
    return f"\u2014 {WITNESS} {base64.b64encode(raw).decode()}\n"


def slug(read: str, text: str) -> str:
    """The problem for which it is refused."""
    try:
        READERS[read](text)
    except HashshareError as refusal:
        return refusal.slug
    raise AssertionError(text)


READERS: Final[dict[str, Callable[[str], object]]] = {
    "cosigned": lambda text: read_cosignatures(text, [COSIGNER]),
    "cosigner": Cosigner.parse,
    "request": lambda text: AddCheckpoint.parse(text.encode()),
}
