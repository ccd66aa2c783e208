"""This machine's clock against the hub's, and against what was known before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hashshare.client.alarms import clock_fault
from hashshare.client.contact import contact
from hashshare.client.doctor.finding import Finding, bad, good, skipped, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.spans import span
from hashshare.wire.errors import ExitCode
from hashshare.wire.limits import SIGNATURE_WINDOW_SECONDS

CHECK: Final = "clock"
MEANS: Final = "What is expired is judged by this clock: one that is behind hides it, one ahead reports it too early."
DO: Final = "Set it by NTP (`timedatectl set-ntp true`), then `hashshare sync`."


def check(patient: Patient) -> Iterable[Finding]:
    met = contact(patient.home)
    told = patient.reached.skew if patient.reached else None
    known = met if told is None else replace(met, skew=told)
    fault = clock_fault(known, now=patient.now)
    if fault and (abs(known.skew) > SIGNATURE_WINDOW_SECONDS or "earlier" in fault):
        means = f"{MEANS} Beyond {SIGNATURE_WINDOW_SECONDS} seconds the hub refuses what is signed here."
        yield bad(CHECK, fault, means=means, do=DO, exit_code=ExitCode.ALARM)
    elif fault:
        yield warn(CHECK, fault, means=MEANS, do=DO)
    elif told is None:
        yield skipped(CHECK, "Not compared: the hub was not asked, or does not say its time.")
    else:
        yield good(CHECK, f"Within {span(timedelta(seconds=told))} of the hub's." if told else "The same as the hub's.")
