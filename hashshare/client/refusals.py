"""New bases that the hub refused, one after the other: noted, so that they are not built and lost again in silence.

A base is refused for what somebody should look into: a store that rots, two versions of the software that disagree, a
hub at fault. Until one is adopted, members go on downloading the old one, withdrawn entries included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hashshare.client.home import make_private_folder, read_json, write_json
from hashshare.client.publisher import OwnList
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError, VerificationFailed

FORMAT: Final = "hashshare-refused-bases/1"
MANY: Final = 2
"""So many in a row are no accident: the command fails then."""
REST: Final = timedelta(hours=20)
"""How long none is built by itself after that; so the next night's run tries again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last refused base, at `version`, for `reason`; `times` in a row. `job` is the hub's, "" if unknown."""

    version: int
    times: int
    at: datetime
    reason: str
    job: str = ""

    @property
    def is_error(self) -> bool:
        return self.times >= MANY

    def to_json(self) -> dict[str, Any]:
        at = write_time(self.at)
        return {"version": self.version, "times": self.times, "at": at, "reason": self.reason, "job": self.job}

    def next_step(self, name: str) -> str:
        """What somebody should do about it."""
        return (
            f"hashshare verify {name}; then: hashshare publisher renew-base {name} --now. If the hub refuses that too, "
            f"send its operator what `hashshare release status {name}` says."
        )


def read_refusal(own: OwnList) -> Refusal | None:
    """What was noted since the last base that was adopted. A damaged note counts as none."""
    try:
        document = read_json(_path(own))
        if document is None or document["format"] != FORMAT:
            return None
        at = datetime.strptime(document["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return Refusal(int(document["version"]), int(document["times"]), at, document["reason"], document["job"])
    except (HashshareError, KeyError, TypeError, ValueError):
        return None


def note_refusal(own: OwnList, version: int, error: HashshareError, *, now: datetime) -> Refusal:
    before = read_refusal(own)
    times = before.times + 1 if before else 1
    noted = Refusal(version, times, now.replace(microsecond=0), error.message, str(error.facts.get("job") or ""))
    make_private_folder(_path(own).parent)
    write_json(_path(own), {"format": FORMAT, **noted.to_json()})
    return noted


def forget_refusals(own: OwnList) -> None:
    """A base was adopted."""
    _path(own).unlink(missing_ok=True)


def resting(own: OwnList, *, now: datetime) -> Refusal | None:
    """Why no base is built by itself for now; None if it may be."""
    last = read_refusal(own)
    return last if last and last.is_error and now - last.at < REST else None


def rested(own: OwnList, last: Refusal) -> VerificationFailed:
    """What is raised instead of building yet another."""
    until = write_time(last.at + REST)
    return VerificationFailed(
        f"The hub refused the last {last.times} new bases of {own.name}, the last one (v{last.version}) because: "
        f"{last.reason} None is built by itself before {until}; the list is served with its old base meanwhile.",
        next_step=last.next_step(own.name),
        **last.to_json(),
    )


def _path(own: OwnList) -> Path:
    return own.publisher.folder / "refused" / f"{own.list_id}.json"
