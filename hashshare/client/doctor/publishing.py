"""A publisher's own work here: releases that were not seen to end, bases refused, signatures near their end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hashshare.client.anew import every_waiting
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.identity import hub_key
from hashshare.client.kept import read_kept
from hashshare.client.kept_metadata import expiries, is_hosted
from hashshare.client.named_hub_keys import hub_key_change
from hashshare.client.publisher import OwnList, OwnPublisher, find_list, own_publishers
from hashshare.client.refusals import read_refusal
from hashshare.client.spans import span
from hashshare.client.standing import kept_root
from hashshare.client.waiting import load_request
from hashshare.wire.errors import ExitCode, HashshareError
from hashshare.wire.repository.requests import SigningRequest, missing

CHECK: Final = "publisher"
NEAR: Final = {"feed": timedelta(days=4), "targets": timedelta(days=22), "root": timedelta(days=60)}
"""How near its end a role may come before somebody should look; half of its life is when it is renewed."""
RENEW: Final = {
    "feed": "hashshare publisher refresh {list}",
    "targets": "hashshare publisher renew {domain}",
    "root": "hashshare publisher renew {domain}",
}


def check(patient: Patient) -> Iterable[Finding]:
    for mine in own_publishers(patient.home):
        for slug in mine.slugs:
            try:
                yield from _check_list(find_list(patient.home, f"{mine.domain}/{slug}"), patient.now)
            except HashshareError as error:
                yield bad(
                    CHECK,
                    f"{mine.domain}/{slug}: {error.message}",
                    means="It cannot be published from here.",
                    do=error.next_step or "Restore the publisher's folder from your backup.",
                    exit_code=error.exit_code,
                    subject=f"{mine.domain}/{slug}",
                )
        yield from _check_roles(mine, mine.domain, "", ("root", "targets"), patient.now)
        yield from _check_hub_keys(mine, patient)
        for path, request in every_waiting(mine):
            yield _waiting(mine, path, request)


def _check_hub_keys(mine: OwnPublisher, patient: Patient) -> Iterable[Finding]:
    """Whether the root names the keys that the hub says it has now."""
    root = kept_root(mine.home, mine.domain)
    if root is None or patient.reached is None or len(patient.reached.keys) != 2:
        return
    change = hub_key_change(mine.domain, root, [hub_key(entry).keyid for entry in patient.reached.keys])
    if change is None:
        yield good(CHECK, f"The root of {mine.domain} names the hub's keys as they are.", subject=mine.domain)
    elif change.urgent:
        yield bad(
            CHECK,
            change.says,
            means=change.means,
            do=change.next_step,
            exit_code=ExitCode.VERIFICATION,
            subject=mine.domain,
        )
    else:
        yield warn(CHECK, change.says, means=change.means, do=change.next_step, subject=mine.domain)


def _waiting(mine: OwnPublisher, path: Path, request: SigningRequest) -> Finding:
    lacking = " and ".join(f"{need.role} {len(need.signed)} of {need.threshold}" for need in missing(request))
    return warn(
        CHECK,
        f"A change of {mine.domain} waits for its officers' signatures{f' ({lacking})' if lacking else ''}: {path}.",
        means="Nothing has changed yet.",
        do=f"Carry the file to them (hashshare publisher sign FILE), then: hashshare publisher submit {path}",
        subject=mine.domain,
    )


def _check_list(own: OwnList, now: datetime) -> Iterable[Finding]:
    if own.publisher.pending_path(own.list_id).exists():
        yield warn(
            CHECK,
            f"A release of {own.name} was handed to the hub and not seen to end.",
            means="It may have been published or rejected; the next command waits for it.",
            do=f"hashshare release status {own.name}; then publish again.",
            subject=own.name,
        )
    kept = read_kept(own)
    if kept is not None:
        yield _waiting(own.publisher, kept.request, load_request(kept.request))
    refusal = read_refusal(own)
    if refusal is not None:
        make = bad if refusal.is_error else None
        says = f"The hub refused {refusal.times:,} new bases of {own.name} in a row: {refusal.reason}"
        means = "New members download the old base, with every entry that was withdrawn since."
        if make is not None:
            step = refusal.next_step(own.name)
            yield bad(CHECK, says, means=means, do=step, exit_code=ExitCode.VERIFICATION, subject=own.name)
        else:
            yield warn(CHECK, says, means=means, do="The next one is built anew.", subject=own.name)
    if is_hosted(own.publisher.home, own.publisher.domain, own.list_id):
        yield good(CHECK, f"{own.name} is hosted: the hub keeps its key and signs it.", subject=own.name)
        return
    yield from _check_roles(own.publisher, own.name, own.list_id, ("feed",), now)


def _check_roles(
    mine: OwnPublisher, subject: str, list_id: str, roles: tuple[str, ...], now: datetime
) -> Iterable[Finding]:
    ends = expiries(mine.home, mine.domain, list_id or "0" * 16)
    for role in roles:
        if role not in ends:
            continue
        left, step = ends[role] - now, RENEW[role].format(domain=mine.domain, list=subject)
        if left <= timedelta(0):
            says = f"The signature of the {role} role of {subject} expired {span(left)} ago."
            means = "Every member's sync fails and alarms; what they hold gets older."
            yield bad(CHECK, says, means=means, do=step, exit_code=ExitCode.VERIFICATION, subject=subject)
        elif left < NEAR[role]:
            says = f"The signature of the {role} role of {subject} expires in {span(left)}."
            yield warn(CHECK, says, means="After that every member's sync alarms.", do=step, subject=subject)
        else:
            yield good(CHECK, f"{subject}: {role} signed until {ends[role]:%Y-%m-%d}.", subject=subject)
