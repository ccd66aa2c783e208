"""Vectors of what hubs tell one another: a descriptor, its fingerprint, and a leaf about a peer."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from federation.documents import HubDescriptor
from hashshare.wire import keys
from hashshare.wire.documents import write_object
from hashshare.wire.errors import MalformedDescriptor
from hashshare.wire.fingerprints import spoken_lines
from hashshare.wire.log import PeerChange
from tests.vectors.cast import key


def descriptors() -> dict[str, Any]:
    body = write_object(_document())
    said = HubDescriptor.parse(body)
    change = PeerChange(said.hub, "accepted", said.fingerprint, datetime(2026, 11, 28, 12, 0, tzinfo=UTC))
    return {
        "descriptor": body.decode(),
        "identity": said.identity.decode(),
        "fingerprint": said.fingerprint,
        "read_out": list(spoken_lines(said.fingerprint)),
        "same_fingerprint": _same(said),
        "other_fingerprint": _other(said),
        "leaf": {"entry": change.to_entry().decode()},
        "refused": _refused(),
    }


def _document(**changes: Any) -> dict[str, Any]:
    own = {name: base64.b64encode(keys.public_bytes(key(n))).decode() for n, name in _KEYS}
    said = {
        "name": "Hub North",
        "url": "https://north.example",
        "version": "1.0.0",
        "hub": "north.example",
        "country": "SE",
    }
    return said | own | changes


_KEYS = ((1, "peer_key"), (2, "witness_key"), (3, "log_key"))


def _same(said: HubDescriptor) -> list[str]:
    """What may change without another comparison."""
    bodies = [
        write_object(_document(**changes))
        for changes in (
            {"name": "North"},
            {"country": ""},
            {"version": "2.0.0"},
            {"url": "https://north.example/"},
            {"new": 1},
        )
    ]
    assert all(HubDescriptor.parse(body).fingerprint == said.fingerprint for body in bodies)
    return [body.decode() for body in bodies]


def _other(said: HubDescriptor) -> list[dict[str, str]]:
    other = base64.b64encode(keys.public_bytes(key(4))).decode()
    found = []
    for changes in ({"hub": "south.example"}, {"url": "https://south.example"}, *({name: other} for _, name in _KEYS)):
        body = write_object(_document(**changes))
        found.append({"descriptor": body.decode(), "fingerprint": HubDescriptor.parse(body).fingerprint})
    assert said.fingerprint not in {each["fingerprint"] for each in found}
    return found


def _refused() -> list[dict[str, str]]:
    """Each with why."""
    twice = write_object(_document()).decode().replace('{"name"', '{"hub":"south.example","name"', 1)
    bodies = [
        write_object(_document(peer_key="AAAA")).decode(),
        write_object(_document(hub="North Example")).decode(),
        write_object(_document(country="Sweden")).decode(),
        write_object({name: value for name, value in _document().items() if name != "log_key"}).decode(),
        twice,
        "[]",
    ]
    return [{"descriptor": body, "why": _why(body)} for body in bodies]


def _why(body: str) -> str:
    try:
        HubDescriptor.parse(body.encode())
    except MalformedDescriptor as error:
        return error.message
    raise AssertionError(body)
