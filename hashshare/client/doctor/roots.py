"""Whom this machine believes: roots on the hub's word, roots that are refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hashshare.client import trust
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.held_standby import held_standby
from hashshare.wire.errors import ExitCode
from hashshare.wire.fingerprints import spoken

CHECK: Final = "root"


def check(patient: Patient) -> Iterable[Finding]:
    for known in trust.publishers(patient.home):
        yield judge(known)
        if (named := held_standby(patient.home, known.domain)) is not None:
            yield good(CHECK, str(named), subject=known.domain)


def judge(known: trust.Publisher) -> Finding:
    if known.state == "refused":
        return bad(
            CHECK,
            f"The root of {known.domain} that the hub gave is not the one you pinned.",
            means="Nothing under it is used. The hub, or somebody in between, is lying, or the pin was mistyped.",
            do=f"Ask {known.domain} for its fingerprint by telephone. You pinned {spoken(known.expected)}.",
            exit_code=ExitCode.VERIFICATION,
            subject=known.domain,
        )
    if known.state == "unconfirmed":
        return warn(
            CHECK,
            f"{known.domain} is unconfirmed: its root was learned from the hub.",
            means="A dishonest hub could have shown its own. Lists are used all the same.",
            do=f"Ask {known.domain} for its fingerprint by another channel than the hub. If it is "
            f"{spoken(known.fingerprint)}: hashshare pin {known.domain} FINGERPRINT",
            subject=known.domain,
        )
    words = "pinned, not met yet" if known.state == "pinned" else "confirmed"
    return good(CHECK, f"{known.domain} is {words}.", subject=known.domain)
