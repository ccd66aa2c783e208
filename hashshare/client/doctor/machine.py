"""This machine: enrolment, the key's file and its permissions, the disk."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

from hashshare.client import next_key
from hashshare.client.doctor.finding import Finding, bad, good, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.enrol import organisation_text
from hashshare.client.organisation_keys import known_end
from hashshare.client.spans import span
from hashshare.wire import keys
from hashshare.wire.errors import ExitCode, HashshareError

SOON: Final = timedelta(days=30)
LOW_SHARE, LOW_BYTES, FULL_BYTES = 0.05, 1 << 30, 64 << 20
"""A disk is nearly full below both of the first, and full below the third."""


def check_enrolment(patient: Patient) -> Iterable[Finding]:
    if patient.config is None:
        yield bad(
            "enrolment",
            f"This machine is not enrolled at a hub, or {patient.home.config_path} cannot be read.",
            means="Nothing can be fetched, and nothing here is this organisation's yet.",
            do="hashshare enroll URL CODE; or set HASHSHARE_HOME to the folder that is meant.",
            exit_code=ExitCode.NOT_ALLOWED,
        )
        return
    yield good("enrolment", f"{organisation_text(patient.config.organisation)} at {patient.config.hub_url}.")


def check_key(patient: Patient) -> Iterable[Finding]:
    """Its file, what may read it, its end, and a rotation that was not ended."""
    if patient.config is None:
        return
    path = patient.home.key_path
    try:
        key_id = keys.fingerprint_of(keys.load(path))
    except (HashshareError, OSError) as error:
        yield bad(
            "key",
            f"{path} cannot be read: {error}",
            means="No request can be signed; what is held stays in use and gets older.",
            do="Restore it from your backup; else get a code from your other machine (key add) or the operator.",
            exit_code=ExitCode.NOT_ALLOWED,
        )
        return
    yield from _open_to_others(patient.home.path)
    yield from _ending(patient, key_id)
    if (patient.home.account / "rotation.json").exists():
        yield _unfinished(patient)


def _open_to_others(folder: Path) -> Iterable[Finding]:
    private = [folder, *sorted(folder.glob("*.pem")), *sorted(folder.glob("publisher/*/keys/*.pem"))]
    loose = [path for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077]
    foreign = [path for path in private if path.stat().st_uid not in (os.geteuid(), 0)]
    for path in dict.fromkeys([*loose, *foreign]):
        mode = stat.S_IMODE(path.stat().st_mode)
        yield bad(
            "key",
            f"{path} is {'open to others' if path in loose else 'owned by somebody else'} (mode {mode:04o}).",
            means="Who reads a private key can act as your organisation; who writes here decides what is trusted.",
            do=f"chmod {'700' if path.is_dir() else '600'} {path}; if others had access, hashshare key rotate.",
            exit_code=ExitCode.FAILED,
            subject=path.name,
        )


def _ending(patient: Patient, key_id: str) -> Iterable[Finding]:
    end = known_end(patient.home, key_id)
    left = end - patient.now if end else None
    if left is not None and left <= timedelta(0):
        yield bad(
            "key",
            f"This machine's key {key_id} ended {span(left)} ago.",
            means="The hub refuses it.",
            do="Ask your other machine for a code (hashshare key add), or the hub's operator; then enroll again.",
            exit_code=ExitCode.NOT_ALLOWED,
        )
    elif left is not None and left < SOON:
        yield warn(
            "key",
            f"This machine's key {key_id} ends in {span(left)}.",
            means="After that the hub refuses it.",
            do="hashshare key rotate (in cron: hashshare key rotate --if-due 60)",
        )
    else:
        yield good("key", f"{key_id}, {f'good until {end:%Y-%m-%d}' if end else 'with no end that is known here'}.")


def _unfinished(patient: Patient) -> Finding:
    try:
        plan = next_key.unfinished(patient.home)
        what = f"A new key ({plan.new}) was begun and not put in place." if plan else "A new key was begun."
    except HashshareError as error:
        what = error.message
    return warn(
        "key",
        what,
        means="The old key goes on; nothing is lost.",
        do="hashshare key rotate carries it on, as does sync.",
    )


def check_disk(patient: Patient) -> Iterable[Finding]:
    folder = patient.home.path if patient.home.path.exists() else patient.home.path.parent
    usage = shutil.disk_usage(folder)
    yield judge_disk(str(folder), free=usage.free, total=usage.total)


def judge_disk(folder: str, *, free: int, total: int) -> Finding:
    says = f"{free / 1e9:,.1f} of {total / 1e9:,.1f} GB are free where {folder} is."
    if free < FULL_BYTES:
        means = "New versions cannot be kept; the last good state stays in use and gets older."
        return bad("disk", says, means=means, do="Make room, or move HASHSHARE_HOME.", exit_code=ExitCode.FAILED)
    if free < LOW_BYTES and free < LOW_SHARE * total:
        means = "A renewed base of a large list may not fit."
        return warn("disk", says, means=means, do="Make room, or move HASHSHARE_HOME.")
    return good("disk", says)
