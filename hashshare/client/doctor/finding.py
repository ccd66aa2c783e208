"""What a check has found, in words for the person who runs the doctor."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from hashshare.wire.errors import ExitCode


class State(enum.StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """`says` what is so, `means` what follows from it, `next_step` what to do. `subject`: a list, a publisher, a key.

    `exit_code` is the doctor's when this is the gravest that is bad.
    """

    check: str
    state: State
    says: str
    means: str = ""
    next_step: str = ""
    subject: str = ""
    exit_code: ExitCode = ExitCode.DONE

    def to_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "state": str(self.state),
            "subject": self.subject or None,
            "says": self.says,
            "means": self.means,
            "next_step": self.next_step,
        }


def good(check: str, says: str, *, subject: str = "") -> Finding:
    return Finding(check, State.GOOD, says, subject=subject)


def warn(check: str, says: str, *, means: str, do: str, subject: str = "") -> Finding:
    return Finding(check, State.WARN, says, means, do, subject)


def bad(check: str, says: str, *, means: str, do: str, exit_code: ExitCode, subject: str = "") -> Finding:
    return Finding(check, State.BAD, says, means, do, subject, exit_code)


def skipped(check: str, why: str) -> Finding:
    return Finding(check, State.SKIPPED, why)
