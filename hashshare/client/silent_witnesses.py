"""Which of the witnesses that are known here cosigned nothing lately, though the others may do: so that none is lost
unnoticed, and somebody who cosigns with another key than before is told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hashshare.client.witnesses import Required
from hashshare.wire.documents import write_time
from hashshare.wire.errors import VerificationFailed
from hashshare.wire.log import Verifier, cosignatures, open_checkpoint
from hashshare.wire.log.notes import KEY_HASH_BYTES, read_note
from hashshare.wire.log.policies import Policy

TOLD_BY: Final = "Ask its operator, by another channel than the hub"


@dataclass(frozen=True, slots=True)
class SilentWitness:
    """`at`: when it cosigned last, None if that was not seen. `other_key`: the hash, in hex, of another key under which
    something stands in its name now; unverified, since only its operator can say what the key is.
    """

    name: str
    at: datetime | None
    other_key: str = ""

    @property
    def detail(self) -> str:
        last = f"cosigned last at {write_time(self.at)}" if self.at else "was not seen to cosign"
        if self.other_key:
            return f"{last}; in its name there is now another key, {self.other_key}, than the one you have"
        return last

    @property
    def next_step(self) -> str:
        if not self.other_key:
            return f"{TOLD_BY}, why. If it has another key now: hashshare witness replace {self.name} VKEY"
        return (
            f"{TOLD_BY}, whether that key is theirs (a hub that was restored from a backup makes a new one, and says "
            f"so in its publication log). If it is: hashshare witness replace {self.name} VKEY"
        )

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "at": self.at and write_time(self.at), "other_key": self.other_key or None}


def silent(
    wanted: Required, times: Mapping[str, datetime], other_keys: Mapping[str, str], asked_at: datetime
) -> list[SilentWitness]:
    """Those that had not cosigned within what is wanted when the hub was asked last, and at once those in whose name
    another key has come; none before the hub was asked.
    """
    if not wanted.wanted or asked_at < wanted.since:
        return []
    found = []
    for name, witness in wanted.policy.witnesses.items():
        at = times.get(witness.cosigner.to_text())
        if at is None or asked_at - at > wanted.within or name in other_keys:
            found.append(SilentWitness(name, at, other_keys.get(name, "")))
    return found


def times_of(notes: Iterable[str], log: Verifier, policy: Policy, latest: datetime) -> dict[str, datetime]:
    """By vkey: when each witness cosigned last, of these checkpoints of the log; what does not verify counts for none,
    nor does what is dated later than `latest`.
    """
    times: dict[str, datetime] = {}
    for note in notes:
        try:
            open_checkpoint(note, log, origin=log.name)
            made = cosignatures(note, policy.cosigners)
        except VerificationFailed:
            continue
        for one in made:
            if one.at <= latest.timestamp():
                at, vkey = datetime.fromtimestamp(one.at, UTC), one.cosigner.to_text()
                times[vkey] = max(at, times.get(vkey, at))
    return times


def other_keys(notes: Iterable[str], policy: Policy) -> dict[str, str]:
    """Name in the policy -> hash in hex of a key that is not the one known and under which the newest of the notes that
    name the witness are signed all the same.
    """
    found: dict[str, str] = {}
    for note in notes:
        try:
            _, signatures = read_note(note)
        except VerificationFailed:
            continue
        for name, witness in policy.witnesses.items():
            hashes = [raw[:KEY_HASH_BYTES] for signer, raw in signatures if signer == witness.cosigner.name]
            if hashes and name not in found:
                known = witness.cosigner.key_hash in hashes
                found[name] = "" if known else hashes[0].hex()
    return {name: other for name, other in found.items() if other}
