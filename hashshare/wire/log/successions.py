"""One log openly superseded by another, after the hub lost the end of it: a signed note that names both.

    hashshare-log-succession/1
    north.example/log/aurora.example
    512
    (root of these 512 leaves, base64)
    north.example/log/aurora.example/2
    2026-11-28T12:00:00Z

*The log of the first name ended. The log of the second name begins with its first 512 leaves.* Whatever the first had
beyond them is not in the second. It is signed with the logs' one key under the first name, so nobody else can say it,
and who signed it cannot deny it. Pure.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire.documents import TIME, write_time
from hashshare.wire.errors import MalformedLog
from hashshare.wire.log.checkpoints import Checkpoint, read_number
from hashshare.wire.log.merkle import HASH_BYTES
from hashshare.wire.log.notes import Verifier, decode_base64, open_note, sign_note

FORMAT: Final = "hashshare-log-succession/1"
_ORIGIN: Final = re.compile(r"(?P<first>[^/\s+]+/log/[^/\s+]+)(?:/(?P<number>[2-9]|[1-9][0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Succession:
    """`successor` begins with the first `size` leaves of `origin`, whose root is `root` (raw)."""

    origin: str
    size: int
    root: bytes
    successor: str
    at: datetime

    def __post_init__(self) -> None:
        Checkpoint(self.origin, self.size, self.root)
        if self.successor != next_origin(self.origin):
            raise MalformedLog(f"{self.successor} is not the name of what follows {self.origin}.")

    def to_text(self) -> str:
        root = base64.b64encode(self.root).decode()
        lines = (FORMAT, self.origin, str(self.size), root, self.successor, write_time(self.at))
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note, not yet believed; raises MalformedLog."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) != 6 or lines[0] != FORMAT:
            raise MalformedLog("A log's succession has six lines.")
        _, origin, size, root, successor, at = lines
        try:
            moment = datetime.strptime(at, TIME).replace(tzinfo=UTC)
        except ValueError as error:
            raise MalformedLog("A log's succession has no time.") from error
        return cls(origin, read_number(size), decode_base64(root, what="root", length=HASH_BYTES), successor, moment)


def sign_succession(succession: Succession, *, key: Ed25519PrivateKey) -> str:
    """The note, signed under the name of the log that ended."""
    return sign_note(succession.to_text(), name=succession.origin, key=key)


def open_succession(note: str, verifier: Verifier) -> Succession:
    """`verifier` has the name and key of the log that ended. Raises MalformedLog, BadSignature."""
    found = Succession.parse(open_note(note, verifier))
    if found.origin != verifier.name:
        raise MalformedLog(f"The succession is one of {found.origin}, not of {verifier.name}.")
    return found


def first_origin(origin: str) -> str:
    """The name of the first of a log and those that superseded it. Raises MalformedLog for what is no log's name."""
    return _split(origin)[0]


def number_of(origin: str) -> int:
    """1 for the first, and so on. Raises MalformedLog."""
    return _split(origin)[1]


def next_origin(origin: str) -> str:
    """`.../log/aurora.example/2` after `.../log/aurora.example`. Raises MalformedLog."""
    first, number = _split(origin)
    return f"{first}/{number + 1}"


def _split(origin: str) -> tuple[str, int]:
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise MalformedLog(f"{origin[:100]!a} is not the name of a log.")
    return match["first"], int(match["number"] or 1)
