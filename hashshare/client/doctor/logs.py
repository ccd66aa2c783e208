"""What the hub's logs showed, and what the hub has yet to hear from here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hashshare.client.acknowledged import told
from hashshare.client.cosigned import cosigned, silent_witnesses, unwitnessed_everywhere
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.logs import seen_logs
from hashshare.client.witnesses import required
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode

CHECK: Final = "log"


def check(patient: Patient) -> Iterable[Finding]:
    for domain, seen in seen_logs(patient.home).items():
        if seen.refused is None:
            says = f"The delivery log of {domain} only grew: {seen.size:,} leaves at {seen.seen_at}."
            yield good(CHECK, says, subject=domain)
            continue
        yield bad(
            CHECK,
            f"The delivery log of {domain} is forked or was rewritten, since {seen.refused.get('at')}: "
            f"{seen.refused.get('detail')}",
            means="The hub shows you another past than before. Lists are verified apart from it and stay in use.",
            do=f"Show {domain} both checkpoints, by another channel than the hub: {seen.refused.get('file')}",
            exit_code=ExitCode.VERIFICATION,
            subject=domain,
        )


def check_witnesses(patient: Patient) -> Iterable[Finding]:
    """Where cosignatures are required: whether they are there, and whether each witness still takes part."""
    wanted = required(patient.home)
    if not wanted.wanted:
        return
    for domain in {one.held.publisher for one in patient.lists if one.held is not None}:
        lacking, found = unwitnessed_everywhere(patient.home, domain, now=patient.now), cosigned(patient.home, domain)
        if lacking is None and found is not None and found.at is not None:
            by = ", ".join(found.by)
            yield good(
                "witness",
                f"The delivery log of {domain} is cosigned by {by} at {write_time(found.at)}.",
                subject=domain,
            )
        elif lacking is not None:
            yield bad(
                "witness",
                f"Of {domain}, {lacking.detail}.",
                means="The hub may show you another log than it shows others. Lists are verified apart from it.",
                do="Ask the hub's operator, and those of your witnesses: hashshare witness list",
                exit_code=ExitCode.ALARM,
                subject=domain,
            )
        for one in silent_witnesses(patient.home, domain):
            yield warn(
                "witness",
                f"Under the delivery log of {domain}, {one.name} {one.detail}.",
                means="Once that is too old, it counts for nothing: one witness less that would have to lie as well.",
                do=one.next_step,
                subject=domain,
            )


def check_acknowledgements(patient: Patient) -> Iterable[Finding]:
    for one in patient.lists:
        pending = told(one.store).pending
        if pending is None:
            continue
        why = f": {pending.why}" if pending.why else "."
        again = "The next sync sends it." if pending.state == "pending" else "Sync offers it once a day."
        yield warn(
            "acknowledgement",
            f"{one.name} v{pending.claim.version} is not acknowledged to the hub{why}",
            means="The hotline does not see yet that you applied it, withdrawals included.",
            do=again,
            subject=one.name,
        )
