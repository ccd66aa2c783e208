"""Signing requests that wait for officers, in HOME/publisher/<domain>/requests/, and whether they still fit."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from hashshare.client.home import naming, write_atomic
from hashshare.client.publisher import OwnPublisher
from hashshare.client.standing import Standing
from hashshare.wire.errors import Conflict, StaleRequest
from hashshare.wire.repository import read_role
from hashshare.wire.repository.request_files import MAX_REQUEST, read_request
from hashshare.wire.repository.requests import SigningRequest


def request_path(mine: OwnPublisher, request: SigningRequest) -> Path:
    """Named by what it asks for: `root-2.targets-3.json`."""
    named = [f"{role}-{read_role(role, body).version}" for role, body in sorted(request.roles.items())]
    return mine.requests_folder / f"{'.'.join(named)}.json"


def keep_request(mine: OwnPublisher, request: SigningRequest) -> Path:
    path = request_path(mine, request)
    write_atomic(path, request.to_bytes())
    return path


def load_request(path: Path) -> SigningRequest:
    """Raises MalformedRequest for anything but a sound signing request, OSError as usual."""
    with naming(path), path.open("rb") as file:
        body = file.read(MAX_REQUEST + 1)
    return read_request(body)


def waiting_requests(mine: OwnPublisher) -> list[tuple[Path, SigningRequest]]:
    """The requests kept here with their files, though the hub may have moved on since."""
    return [(path, load_request(path)) for path in sorted(mine.requests_folder.glob("*.json"))]


def open_request(mine: OwnPublisher, stands: Standing, *, now: datetime) -> SigningRequest | None:
    """The request kept here that still follows what stands and has not expired; those that do not are removed."""
    found: SigningRequest | None = None
    for path, request in waiting_requests(mine):
        try:
            check_current(request, stands, now=now)
        except StaleRequest:
            path.unlink()
            continue
        found = request
    return found


def drop_request(mine: OwnPublisher, request: SigningRequest) -> None:
    """Forget a request that waits. Copies elsewhere can still be submitted while what they follow stands."""
    request_path(mine, request).unlink(missing_ok=True)


def accepted(request: SigningRequest, stands: Standing) -> bool:
    """Whether the root and targets that the request asks for stand already, and so what was committed with them."""
    known: dict[str, list[bytes]] = {"root": list(stands.chain), "targets": [stands.targets] if stands.targets else []}
    return all(
        any(_content(role, body) == _content(role, other) for other in known.get(role, ()))
        for role, body in request.roles.items()
        if role in known
    )


def check_current(request: SigningRequest, stands: Standing, *, now: datetime) -> None:
    """Raises StaleRequest when the hub has moved on since the request was made, or what it asks for has expired."""
    if (request.chain, request.targets) != (stands.chain, stands.targets):
        raise StaleRequest(
            f"{request.publisher} has changed since this request was made, so it can not follow any more."
        )
    for role, body in request.roles.items():
        if (file := read_role(role, body)).expires <= now:
            raise StaleRequest(
                f"What this request would sign as {role} {file.version} expired on {file.expires:%Y-%m-%d}."
            )


def same_change(one: SigningRequest, other: SigningRequest) -> bool:
    """Whether both ask for the same, but for expiry dates and signatures."""

    def asked(request: SigningRequest) -> Any:
        files = [read_role(role, body) for role, body in sorted(request.roles.items())]
        roles = {file.role: {**file.signed.to_dict(), "expires": ""} for file in files}
        return request.publisher, request.chain, request.targets, roles

    return bool(asked(one) == asked(other))


def _content(role: str, body: bytes) -> bytes:
    return read_role(role, body).metadata.signed_bytes


def another_waits(mine: OwnPublisher, waiting: SigningRequest) -> Conflict:
    return Conflict(
        f"Another change of {mine.domain} waits for its officers ({request_path(mine, waiting)}).",
        next_step=f"Submit it first, or drop it: hashshare publisher sign-request {mine.domain} --drop",
    )
