"""`publisher sign`, `submit`, `sign-request`: new metadata on its way to the officers and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hashshare.client.ceremony import Proposed
from hashshare.client.cli.output import Output
from hashshare.wire.repository import read_role
from hashshare.wire.repository.requests import Need, SigningRequest


def proposed_json(done: Proposed) -> dict[str, Any]:
    """What became of a change: {"job", "request", "missing", "roles"}."""
    files = {role: read_role(role, body) for role, body in done.request.roles.items()}
    return {
        "job": done.job.to_json() if done.job else None,
        "request": str(done.path) if done.path else None,
        "missing": [need_json(need, done.request) for need in done.missing],
        "roles": {
            role: {"version": file.version, "expires": file.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
            for role, file in files.items()
        },
    }


def tell(out: Output, done: Proposed) -> None:
    """For people: what has to be done before the change takes effect; nothing when it has."""
    if done.path is None:
        return
    out.say("Nothing is changed yet: officers have to sign.")
    out.facts(lacking(done.missing, done.request))
    out.say(f"Carry this file to them: {done.path}")
    out.say("Each runs:  hashshare publisher sign FILE")
    out.say("Then here:  hashshare publisher submit FILE...")


def lacking(needs: Sequence[Need], request: SigningRequest) -> list[tuple[str, str]]:
    """Role and who can still sign it, in two columns."""
    return [
        (need.role, f"{len(need.signed)} of {need.threshold} signed; {need.missing} more of {names(need, request)}")
        for need in needs
    ]


def names(need: Need, request: SigningRequest) -> str:
    known = {officer.root: officer.name for officer in request.officers}
    known |= {officer.targets: officer.name for officer in request.officers}
    return ", ".join(known.get(keyid) or f"key {keyid[:8]}…" for keyid in need.unsigned)


def need_json(need: Need, request: SigningRequest) -> dict[str, Any]:
    known = {officer.root: officer.name for officer in request.officers}
    known |= {officer.targets: officer.name for officer in request.officers}
    unsigned = [{"keyid": keyid, "name": known.get(keyid, "")} for keyid in need.unsigned]
    return {"role": need.role, "by": need.by, "need": need.threshold, "have": len(need.signed), "unsigned": unsigned}
