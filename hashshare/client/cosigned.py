"""Whether witnesses stand behind what the hub shows this machine: that the log as it was shown here extends a public
checkpoint which enough of them cosigned, not long ago.

Public checkpoints are cosigned, once an hour those of delivery logs; what this machine is shown is newer, and nobody
else may see it. So it is held against the newest cosigned one, which must be its beginning. That one is kept under
logs/cosigned/. Too few cosignatures are an alarm; a log that contradicts a cosigned checkpoint is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hashshare.client.answers import decoded_object
from hashshare.client.home import Home, checked_domain, read_json, write_json
from hashshare.client.logs import DeliveryLog, Seen
from hashshare.client.session import Session
from hashshare.client.silent_witnesses import SilentWitness, other_keys, silent, times_of
from hashshare.client.witnesses import Required, required
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError, LogForked, MalformedLog, NotFound, VerificationFailed
from hashshare.wire.log import Checkpoint, Verifier, cosignatures, open_checkpoint, verify_consistency
from hashshare.wire.log.cosignatures import Cosignature
from hashshare.wire.log.policies import Policy
from hashshare.wire.log.successions import number_of

FORMAT: Final = "hashshare-cosigned/1"
ASKED_AGAIN: Final = timedelta(hours=1)
"""The public log is cosigned once an hour; asking more often shows nothing new."""

AHEAD: Final = timedelta(minutes=5)
"""By how much a witness's clock may be ahead of ours; what is dated later counts for nothing."""

MOST: Final = 16
"""Checkpoints that are looked at."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The newest public checkpoint of a log that was cosigned as required. `at`: the time that counts, of the oldest
    cosignature that is needed; `by`: the names of the witnesses. None where there was none yet.

    `asked_at`: when the hub was last asked; `lacking`: why that brought nothing, "" when it did. `times`: by vkey, when
    each witness that is known was last seen to cosign; `other_keys`: by its name, the hash of another key in its name.
    """

    origin: str
    size: int
    root: bytes
    checkpoint: str
    at: datetime | None
    by: tuple[str, ...]
    asked_at: datetime
    lacking: str = ""
    times: Mapping[str, datetime] = field(default_factory=dict)
    other_keys: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "checkpoint": self.checkpoint,
            "at": self.at and write_time(self.at),
            "by": list(self.by),
            "asked_at": write_time(self.asked_at),
            "lacking": self.lacking,
            "times": {vkey: write_time(at) for vkey, at in self.times.items()},
            "other_keys": dict(self.other_keys),
        }


def cosigned_path(home: Home, domain: str) -> Path:
    return home.account / "logs" / "cosigned" / f"{checked_domain(domain)}.json"


def cosigned(home: Home, domain: str) -> Cosigned | None:
    """None where nobody looked yet. Raises HashshareError when the file is not of this format."""
    path = cosigned_path(home, domain)
    document = read_json(path)
    if document is None:
        return None
    try:
        if document["format"] != FORMAT:
            raise KeyError("format")
        at = document["at"]
        return Cosigned(
            str(document["origin"]),
            int(document["size"]),
            bytes.fromhex(document["root"]),
            str(document["checkpoint"]),
            None if at is None else datetime.fromisoformat(at),
            tuple(str(name) for name in document["by"]),
            datetime.fromisoformat(document["asked_at"]),
            str(document["lacking"]),
            {str(vkey): datetime.fromisoformat(at) for vkey, at in document["times"].items()},
            {str(name): str(other) for name, other in document["other_keys"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise HashshareError(
            f"{path} is damaged or of another version of hashshare.", next_step="Remove it; the next sync asks again."
        ) from error


@dataclass(frozen=True, slots=True)
class Unwitnessed:
    """Too few witnesses stand behind a log. `since`: from when on."""

    domain: str
    detail: str
    since: datetime


def unwitnessed(home: Home, domain: str, *, now: datetime) -> Unwitnessed | None:
    """By what is kept here: None when nothing is required, or enough cosigned lately."""
    wanted = required(home)
    if not wanted.wanted:
        return None
    found = cosigned(home, domain)
    if found is None or found.at is None or not wanted.policy.is_satisfied(_named(wanted.policy, found.by)):
        why = found.lacking if found and found.lacking else "it was not looked at yet"
        return Unwitnessed(
            domain, f"no checkpoint of its log is cosigned by the witnesses you require: {why}", wanted.since
        )
    if now - found.at <= wanted.within:
        return None
    why = f": {found.lacking}" if found.lacking else ""
    told = f"the witnesses you require cosigned its log last at {write_time(found.at)}{why}"
    return Unwitnessed(domain, told, found.at + wanted.within)


def silent_witnesses(home: Home, domain: str) -> list[SilentWitness]:
    """Those that cosigned nothing of the log lately, as the hub showed it when it was asked last."""
    found = cosigned(home, domain)
    return silent(required(home), found.times, found.other_keys, found.asked_at) if found is not None else []


def unwitnessed_everywhere(home: Home, domain: str, *, now: datetime) -> Unwitnessed | None:
    """The same where lists may come from several hubs: None when enough witnesses stand behind the log of one of them,
    else what is so at the first.
    """
    found = [unwitnessed(home.at(folder), domain, now=now) for folder in home.hubs]
    return None if None in found else found[0]


def _named(policy: Policy, names: Sequence[str]) -> set[Any]:
    return {witness.cosigner for name, witness in policy.witnesses.items() if name in names}


# --- asking the hub ----------------------------------------------------------------------------------------------


def check_cosigned(home: Home, domain: str, session: Session, *, now: datetime) -> Cosigned | None:
    """Look whether a newer checkpoint was cosigned, and hold what was seen of the log against it; None when nothing is
    required. Asks the hub at most once an hour, unless what is known does not do.

    Raises LogForked when the log seen here contradicts it (both notes are kept), BadSignature for a false cosignature
    by a witness that is known, what `DeliveryLog.check` raises, NetworkError.
    """
    wanted = required(home)
    if not wanted.wanted:
        return None
    held = cosigned(home, domain)
    fresh = held is not None and not held.lacking and now - held.asked_at < ASKED_AGAIN
    if held is not None and fresh and held.asked_at >= wanted.since and unwitnessed(home, domain, now=now) is None:
        return held
    log = DeliveryLog(home, domain, session=session)
    notes = _asked(session, log, domain)
    with log.locked():
        seen = log.seen
        if seen is None:
            raise NotFound(f"Nothing was seen of the log of {domain}.")
        found = _newest(log, seen, notes, wanted, now)
    kept = found or _without(held, seen, lacking_in(notes, wanted.policy, seen.origin), now)
    times = times_of(notes, Verifier(seen.origin, seen.key), wanted.policy, now + AHEAD)
    kept = replace(kept, times={**(held.times if held else {}), **times}, other_keys=other_keys(notes, wanted.policy))
    write_json(cosigned_path(home, domain), kept.to_json())
    return kept


def _asked(session: Session, log: DeliveryLog, domain: str) -> list[str]:
    """The public checkpoints that are cosigned, newest first; the log as this machine may see it is looked at after."""
    try:
        notes = cosigned_notes(session, domain)
    except NotFound:
        # A hub of another make may show the newest alone.
        seen = log.seen
        number = number_of(seen.origin) if seen else 1
        below = f"/log/{domain}/{number}" if number > 1 else f"/log/{domain}"
        notes = [session.ask("GET", f"{below}/checkpoint").content.decode("utf-8", "replace")]
    log.check()
    return notes


def cosigned_notes(session: Session, name: str) -> list[str]:
    """Of any public log of the hub. Raises NotFound from one of another make, MalformedLog, NetworkError."""
    found = decoded_object(session.ask("GET", f"/log/{name}/cosigned")).get("checkpoints")
    if not isinstance(found, list) or len(found) > MOST or not all(isinstance(note, str) for note in found):
        raise MalformedLog("The hub's answer does not hold cosigned checkpoints.")
    return [str(note) for note in found]


def _newest(log: DeliveryLog, seen: Seen, notes: Sequence[str], wanted: Required, now: datetime) -> Cosigned | None:
    """The first that enough witnesses have cosigned, which what was seen extends."""
    for note in notes:
        if note.partition("\n")[0] != seen.origin:
            continue
        try:
            checkpoint = open_checkpoint(note, Verifier(seen.origin, seen.key), origin=seen.origin)
            made = cosignatures(note, wanted.policy.cosigners)
            quorum = quorum_at(made, wanted.policy, now)
            if quorum is None:
                continue
            _check_extended(log, seen, checkpoint, made)
        except VerificationFailed as error:
            log.refuse(error, note, seen)
            raise
        names = wanted.policy.cosigners
        by = tuple(sorted(names[one.cosigner] for one in made))
        return Cosigned(checkpoint.origin, checkpoint.size, checkpoint.root, note, quorum, by, now)
    return None


def quorum_at(made: Sequence[Cosignature], policy: Policy, now: datetime) -> datetime | None:
    """The time of the oldest cosignature that is needed when the newest are taken first; None when all do not do."""
    latest = (now + AHEAD).timestamp()
    taken = set()
    for one in sorted(made, key=lambda one: -one.at):
        if one.at > latest:
            continue
        taken.add(one.cosigner)
        if policy.is_satisfied(taken):
            return datetime.fromtimestamp(one.at, UTC)
    return None


def _check_extended(log: DeliveryLog, seen: Seen, public: Checkpoint, made: Sequence[Cosignature]) -> None:
    """Raises LogForked when what was seen here does not begin with the cosigned checkpoint."""
    names = ", ".join(one.cosigner.name for one in made)
    if public.size > seen.size:
        raise LogForked(f"The hub shows {seen.size} leaves here, and {names} cosigned {public.size} of the same log.")
    proof = log.consistency(public.size, seen.size) if 0 < public.size < seen.size else []
    try:
        verify_consistency(
            public.size, old_root=public.root, new_size=seen.size, new_root=seen.root, proof=tuple(proof)
        )
    except LogForked as error:
        raise LogForked(
            f"What the hub shows here is another log than {names} cosigned: {error.message}", **error.facts
        ) from error


def lacking_in(notes: Sequence[str], policy: Policy, origin: str) -> str:
    """In words for a person, what is missing under the newest checkpoint of that log."""
    newest = next((note for note in notes if note.partition("\n")[0] == origin), None)
    if newest is None:
        return "the hub shows none that anybody cosigned"
    names = policy.cosigners
    by = sorted(names[made.cosigner] for made in cosignatures(newest, names))
    return f"of your witnesses, {', '.join(by) or 'none'} cosigned the newest"


def _without(held: Cosigned | None, seen: Seen, lacking: str, now: datetime) -> Cosigned:
    """What was known stays known, of the same log."""
    if held is None or held.origin != seen.origin:
        return Cosigned(seen.origin, 0, b"", "", None, (), now, lacking)
    return Cosigned(held.origin, held.size, held.root, held.checkpoint, held.at, held.by, now, lacking)
