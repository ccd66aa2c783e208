"""What this machine remembers of each publisher's delivery log, HOME/logs/<domain>.json: its key, its last checkpoint.

A log may only grow. What contradicts the memory is refused, kept as evidence under logs/refused/, and not taken over;
the memory is what the hub said first, so a false key on first contact shows only when two members compare.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hashshare.client.answers import decoded
from hashshare.client.home import Config, Home, checked_domain, read_json, write_atomic, write_json
from hashshare.client.session import Session
from hashshare.client.successions import (
    check_crossing,
    follow,
    is_successor,
    keep_crossing,
    known_origins,
    read_statements,
)
from hashshare.wire import keys
from hashshare.wire.documents import write_time
from hashshare.wire.errors import (
    BadSignature,
    HashshareError,
    LogKeyChanged,
    MalformedLog,
    NotFound,
    VerificationFailed,
    WrongProof,
)
from hashshare.wire.log import EMPTY_ROOT, Checkpoint, Verifier, open_checkpoint, verify_consistency
from hashshare.wire.log.notes import decode_base64
from hashshare.wire.log.successions import first_origin

FORMAT: Final = "hashshare-log/1"
MOST_REFUSED: Final = 20
"""Refused checkpoints kept of one log: the first ones prove as much as more would."""
LOOKED_AT_AGAIN: Final = timedelta(days=1)
"""After which a sync looks at the log though it brought nothing new."""
MAX_PROOF: Final = 128
"""Hashes: twice what a log of any size that can be real needs."""

Prove = Callable[[int, int], Sequence[bytes]]
"""(old size, new size) -> the hub's consistency proof."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A log as last seen. `key` and `root` are raw, `checkpoint` is the signed note, times are ISO 8601.

    `refused`: {"type", "detail", "at", "file"} of a checkpoint that contradicted it and was not taken back, else None.
    """

    origin: str
    key: bytes
    size: int
    root: bytes
    checkpoint: str
    seen_at: str
    refused: dict[str, Any] | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether to look at the log again though there is no other reason."""
        return self.refused is not None or now - datetime.fromisoformat(self.seen_at) >= LOOKED_AT_AGAIN

    def to_json(self) -> dict[str, Any]:
        named = {"format": FORMAT, "origin": self.origin, "key": base64.b64encode(self.key).decode()}
        state = {"size": self.size, "root": self.root.hex(), "checkpoint": self.checkpoint, "seen_at": self.seen_at}
        return {**named, **state, "refused": self.refused}

    @classmethod
    def from_json(cls, document: dict[str, Any], *, path: Path) -> Seen:
        """Raises HashshareError when the file is not of this format."""
        try:
            if document["format"] != FORMAT:
                raise KeyError("format")
            return cls(
                str(document["origin"]),
                decode_base64(str(document["key"]), what="log's key", length=32),
                int(document["size"]),
                bytes.fromhex(document["root"]),
                str(document["checkpoint"]),
                write_time(datetime.fromisoformat(document["seen_at"])),
                document["refused"],
            )
        except (KeyError, TypeError, ValueError, MalformedLog) as error:
            raise HashshareError(
                f"{path} is damaged or of another version of hashshare.", next_step="Restore it from a backup."
            ) from error


def hub_address(config: Config) -> str:
    """The hub's public address as its descriptor has it, which statements name."""
    return str(config.hub.get("url") or config.hub_url).rstrip("/")


def log_path(home: Home, domain: str) -> Path:
    return home.account / "logs" / f"{checked_domain(domain)}.json"


def seen_log(home: Home, domain: str) -> Seen | None:
    path = log_path(home, domain)
    document = read_json(path)
    return None if document is None else Seen.from_json(document, path=path)


def seen_logs(home: Home) -> dict[str, Seen]:
    """By publisher."""
    paths = sorted((home.account / "logs").glob("*.json"))
    return {path.stem: seen for path in paths if (seen := seen_log(home, path.stem)) is not None}


class DeliveryLog:
    """One publisher's delivery log at the enrolled hub. `with log.locked():` goes around each request whose answer has
    a checkpoint and the `extend` that takes it over, so that answers are judged in the order in which they came.
    """

    def __init__(self, home: Home, domain: str, *, session: Session | None = None) -> None:
        self.home, self.domain = home, checked_domain(domain)
        self._session = session

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with self.home.lock(f"log-{self.domain}"):
            yield

    @property
    def seen(self) -> Seen | None:
        return seen_log(self.home, self.domain)

    @property
    def size(self) -> int:
        """What is remembered: 0 when nothing is."""
        seen = self.seen
        return seen.size if seen else 0

    def verifier(self, note: str = "") -> Verifier:
        """Of the log's name and key as remembered; on first contact the name as `note` has it, and the key as the hub
        said at enrolment, or says now.

        Raises LogKeyChanged when a later enrolment named another, NotFound when nothing is known of a log.
        """
        seen, named = self.seen, _enrolled_key(self.home)
        if seen is None:
            return Verifier(self._origin_in(note), named or self._asked_key())
        if named is not None and named != seen.key:
            raise self._key_changed(seen.key, keys.fingerprint(named))
        said = note.partition("\n")[0]
        # Receipts of a log that was superseded stay good under its own name.
        return Verifier(said if said in known_origins(self.home, self.domain) else seen.origin, seen.key)

    def _origin_in(self, note: str) -> str:
        """The name that a first checkpoint gives its log: some address of the hub, and this publisher's path."""
        origin = note.partition("\n")[0]
        try:
            first = first_origin(origin)
        except MalformedLog:
            first = ""
        if not first.endswith(f"/log/{self.domain}"):
            raise WrongProof(f"The hub's checkpoint is not one of the log of {self.domain}.")
        return origin

    def extend(self, note: str, prove: Prove | None = None) -> Checkpoint:
        """Take over a checkpoint (a signed note) that extends the one remembered; `prove` gives the proof when one is
        needed, by default it is asked for.

        Raises LogForked, LogKeyChanged, BadSignature, WrongProof, MalformedLog; the memory stays as it was then.
        """
        seen = self.seen
        try:
            if seen is not None and is_successor(note.partition("\n")[0], seen.origin):
                return self._cross(note, seen, prove or self.consistency)
            verifier = self.verifier() if seen else self.verifier(note)
            found = self._open(note, verifier)
            self._check(found, seen, prove or self.consistency)
        except VerificationFailed as error:
            self.refuse(error, note, seen)
            raise
        self._remember(found, note, verifier, seen)
        return found

    def _open(self, note: str, verifier: Verifier) -> Checkpoint:
        try:
            return open_checkpoint(note, verifier, origin=verifier.name)
        except BadSignature as error:
            if _signed_by_another(note, verifier):
                raise self._key_changed(verifier.public, "another key") from error
            raise BadSignature(f"The checkpoint of {verifier.name} does not bear its key's signature.") from error

    def _check(self, found: Checkpoint, seen: Seen | None, prove: Prove) -> None:
        if seen is None:
            return
        proof = prove(seen.size, found.size) if 0 < seen.size < found.size else ()
        verify_consistency(seen.size, old_root=seen.root, new_size=found.size, new_root=found.root, proof=tuple(proof))

    def _cross(self, note: str, seen: Seen, prove: Prove) -> Checkpoint:
        """Go over to the log that openly supersedes the one remembered. Raises like `extend`."""
        verifier = Verifier(note.partition("\n")[0], self.verifier().public)
        found = self._open(note, verifier)
        statements = read_statements(decoded(self._get(f"log/{self.domain}/successions")))
        crossing, start = follow(Checkpoint(seen.origin, seen.size, seen.root), seen.key, verifier.name, statements)
        check_crossing(start, found, self.consistency if crossing.lost else prove)
        now = write_time(datetime.now(UTC))
        keep_crossing(self.home, self.domain, crossing, checkpoint=seen.checkpoint, statements=statements, at=now)
        self._remember(found, note, verifier, None)
        return found

    def _remember(self, found: Checkpoint, note: str, verifier: Verifier, seen: Seen | None) -> None:
        now = datetime.now(UTC)
        if seen is not None and seen.size == found.size and not seen.is_due(now):
            return
        fresh = Seen(verifier.name, verifier.public, found.size, found.root, note, write_time(now))
        write_json(log_path(self.home, self.domain), fresh.to_json())

    def refuse(self, error: VerificationFailed, note: str, seen: Seen | None) -> None:
        """Keep what contradicts the memory, and say of which log it is."""
        kept = self._keep(note)
        error.args = (f"Log of {self.domain}: {error.message}", *error.args[1:])
        error.facts.update(publisher=self.domain, refused=str(kept), remembered=seen.checkpoint if seen else "")
        if seen is not None:
            told = {"type": error.slug, "detail": error.message, "at": write_time(datetime.now(UTC)), "file": str(kept)}
            if seen.refused is None or seen.refused.get("type") != error.slug:
                write_json(log_path(self.home, self.domain), replace(seen, refused=told).to_json())

    def _keep(self, note: str) -> Path:
        folder = self.home.account / "logs" / "refused"
        path = folder / f"{self.domain}-{hashlib.sha256(note.encode()).hexdigest()[:16]}.txt"
        if len(list(folder.glob(f"{self.domain}-*.txt"))) < MOST_REFUSED:
            write_atomic(path, note.encode())
        return path

    def _key_changed(self, known: bytes, offered: str) -> LogKeyChanged:
        return LogKeyChanged(
            f"The hub's log is signed by {offered}, not by {keys.fingerprint(known)}, which was seen first.",
            known=keys.fingerprint(known),
        )

    # --- asking the hub ---

    def check(self) -> Checkpoint:
        """Ask for the newest checkpoint and take it over. Raises like `extend`, NotFound, NetworkError."""
        with self.locked():
            note = self._get(f"log/{self.domain}/checkpoint").content.decode("utf-8", "replace")
            return self.extend(note)

    def consistency(self, old: int, new: int) -> list[bytes]:
        answer = decoded(self._get(f"log/{self.domain}/consistency", old=str(old), new=str(new)))
        return read_proof(answer.get("consistency") if isinstance(answer, dict) else None)

    def _get(self, path: str, **params: str) -> Any:
        if self._session is None:
            raise NotFound("The log is not asked for here.")
        return self._session.get(path, params=params)

    def _asked_key(self) -> bytes:
        """From the hub's descriptor, kept with what enrolment left, so that every log of the hub is held to it."""
        answer = decoded(self._get("/.well-known/hashshare"))
        text = answer.get("log_key") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not text:
            raise NotFound("The hub names no key of its logs.", next_step="It may be an older version of hashshare.")
        key = decode_base64(text, what="log's key", length=keys.PUBLIC_KEY_BYTES)
        with self.home.lock("enroll"):
            config = self.home.config()
            self.home.save_config(replace(config, hub={**config.hub, "log_key": text}))
        return key


def read_proof(value: object) -> list[bytes]:
    """Raises MalformedLog unless it is an array of hashes in base64."""
    if not isinstance(value, list) or len(value) > MAX_PROOF or not all(isinstance(item, str) for item in value):
        raise MalformedLog("The proof is not an array of hashes.")
    return [decode_base64(item, what="proof", length=len(EMPTY_ROOT)) for item in value]


def _enrolled_key(home: Home) -> bytes | None:
    text = home.config().hub.get("log_key")
    return decode_base64(text, what="log's key", length=keys.PUBLIC_KEY_BYTES) if isinstance(text, str) else None


def _signed_by_another(note: str, verifier: Verifier) -> bool:
    """Whether a signature under the log's name is labelled with another key than the one that is known."""
    mark = f"\u2014 {verifier.name} "
    encoded = [line.removeprefix(mark) for line in note.splitlines() if line.startswith(mark)]
    labels = [base64.b64decode(text)[: len(verifier.key_hash)] for text in encoded]
    return bool(labels) and verifier.key_hash not in labels
