"""Becoming known to a hub: this machine's key, the one-time code, the publishers' roots it shows."""

from __future__ import annotations

import base64
import binascii
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client import trust
from hashshare.client.addresses import checked_url
from hashshare.client.answers import decoded
from hashshare.client.home import Config, Home, checked_domain, sync_folder
from hashshare.client.organisation_keys import note_end
from hashshare.client.repository import fetch_root
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import (
    Conflict,
    HashshareError,
    NetworkError,
    NotAuthenticated,
    NotEnrolled,
    UsageError,
)

REFUSED_KEY: Final = "key-refused.pem"
"""Where a key lies that the hub refused when its machine enrolled anew; it opens nothing any more."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """`refused`: publishers whose root could not be kept, and why."""

    config: Config
    publishers: tuple[trust.Publisher, ...]
    refused: tuple[tuple[str, HashshareError], ...]


def enrol(home: Home, url: str, code: str, *, key_name: str = "") -> Enrolled:
    """Register this machine's public key with `code`. Repeating it with the same code and home is harmless. A key that
    the hub refuses, as one that was revoked, is set aside for a new one.

    Raises UsageError when the home belongs to another hub, or is enrolled already with a key that works;
    InvitationInvalid, InsecureTransport, NetworkError.
    """
    url = checked_url(url).rstrip("/")
    _check_free(home, url)
    key = _own_key(home)
    try:
        answer = _register(url, key, code, key_name)
    except Conflict:
        _check_refused(home, url, key)
        home.key_path.replace(home.account / REFUSED_KEY)
        sync_folder(home.account)
        key = _own_key(home)
        answer = _register(url, key, code, key_name)
    try:
        config = Config(url, dict(answer["hub"]), dict(answer["organisation"]), str(answer["key"]["id"]))
        offered = [(checked_domain(row["domain"]), row.get("root") or "") for row in answer["publishers"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError(f"{url} does not answer like a hashshare hub.") from error
    if config.key_id != keys.fingerprint_of(key):
        raise NetworkError(f"{url} registered another key than the one that was sent.")
    home.save_config(config)
    note_end(home, config.key_id, answer["key"].get("not_after"))
    met, refused = _meet(home, offered)
    return Enrolled(config, tuple(met), tuple(refused))


def _register(url: str, key: Ed25519PrivateKey, code: str, key_name: str) -> Any:
    """The hub's answer. Raises Conflict for a key that was registered before, by another code."""
    document = {
        "code": code.strip(),
        "public_key": base64.b64encode(keys.public_bytes(key)).decode(),
        "key_name": key_name or platform.node()[:200],
    }
    return decoded(Session(url, key=key).send("POST", "enrolments", json=document))


def _check_refused(home: Home, url: str, key: Ed25519PrivateKey) -> None:
    """Raises UsageError if the hub lets the key in."""
    try:
        Session(url, key=key).get_json("status")
    except NotAuthenticated:
        return
    raise UsageError(
        f"{home.path} is enrolled already, and its key works. Nothing was changed, and the code was not used.",
        next_step="hashshare key rotate puts a new key in its place. For another machine, run this there.",
    )


def _check_free(home: Home, url: str) -> None:
    try:
        config = home.config()
    except NotEnrolled:
        return
    if config.hub_url != url:
        raise UsageError(
            f"{home.path} belongs to {config.organisation.get('name')} at {config.hub_url}.",
            next_step="Use a folder of its own for each hub: HASHSHARE_HOME=/path hashshare enroll ...",
        )


def _own_key(home: Home) -> Ed25519PrivateKey:
    """The key of an earlier try, so that a code whose answer was lost still works; else a new one."""
    if home.key_path.exists():
        return keys.load(home.key_path)
    key = keys.generate()
    keys.save(key, home.key_path)
    return key


def _meet(home: Home, offered: list[tuple[str, str]]) -> tuple[list[trust.Publisher], list[tuple[str, HashshareError]]]:
    met, refused = [], []
    for domain, root in offered:
        if not root:
            continue  # The publisher has not committed a root yet.
        try:
            met.append(trust.remember_publisher(home, domain, base64.b64decode(root, validate=True)))
        except binascii.Error:
            refused.append((domain, HashshareError("Its root is not base64.")))
        except HashshareError as error:
            refused.append((domain, error))
    return met, refused


def meet_publisher(home: Home, session: Session, domain: str) -> trust.Publisher:
    """Keep the root of a publisher that was not met at enrolment. Raises like `trust.remember_publisher`."""
    known = trust.publisher(home, domain)
    if known is not None and known.state in ("confirmed", "unconfirmed"):
        return known
    return trust.remember_publisher(home, domain, fetch_root(session, domain))


def organisation_text(organisation: Mapping[str, Any]) -> str:
    """Cobalt (member, NL)"""
    about = ", ".join(str(organisation[name]) for name in ("kind", "country") if organisation.get(name))
    return f"{organisation.get('name')} ({about})" if about else str(organisation.get("name"))
