"""`standby_hub`: what a publisher's root says of another hub that may take over when its own is dead. Pure.

    "standby_hub": {"hub": "south.example", "keyids": ["3f9a…", "77c1…"]}

It is a field of the signed part of the root (TUF specification 1.0.34, section 4.1: what a reader does not know is kept
and ignored). Its keys, the one in use and the one on standby of that hub, stand among those of snapshot and timestamp,
so every TUF client believes them; the field says whose they are, so that nobody's key is in a root unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from securesystemslib.signer import Key
from tuf.api.metadata import Root

from hashshare.wire.documents import write_object
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.manifest import HUB
from hashshare.wire.repository.metadata import ROOT, SNAPSHOT, TIMESTAMP, read_typed

STANDBY_HUB: Final = "standby_hub"
FORMAT: Final = "hashshare-standby-hub/1"
MOST_KEYS: Final = 2
HUB_ROLES: Final = (SNAPSHOT, TIMESTAMP)


@dataclass(frozen=True, slots=True)
class StandbyHub:
    """`hub` is what hubs call it (host, with its port if it has one); `keys` its one or two TUF public keys."""

    hub: str
    keys: tuple[Key, ...]

    @property
    def keyids(self) -> tuple[str, ...]:
        return tuple(key.keyid for key in self.keys)

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over the name and both keys, for a hotline and that hub's operator to compare."""
        value = {"format": FORMAT, "hub": self.hub, "keyids": list(self.keyids)}
        return hashlib.sha256(write_object(value)).hexdigest()


def standby_hub(root: bytes) -> StandbyHub | None:
    """The standby hub that root metadata names, None if there is none. Raises MalformedMetadata."""
    return named_standby(read_typed(ROOT, root, Root).signed)


def named_standby(root: Root) -> StandbyHub | None:
    """`standby_hub` of metadata that was read already."""
    if STANDBY_HUB not in root.unrecognized_fields:
        return None
    value = root.unrecognized_fields[STANDBY_HUB]
    if not isinstance(value, dict) or value.keys() != {"hub", "keyids"}:
        _refuse("The root's standby_hub does not say just hub and keyids.")
    hub, keyids = value["hub"], value["keyids"]
    if not isinstance(hub, str) or not HUB.fullmatch(hub):
        _refuse("The root's standby_hub has no name of a hub.")
    if (
        not isinstance(keyids, list)
        or not 1 <= len(keyids) <= MOST_KEYS
        or not all(isinstance(it, str) for it in keyids)
    ):
        _refuse(f"The root's standby_hub has not one to {MOST_KEYS} key ids.")
    if len(set(keyids)) != len(keyids):
        _refuse("The root's standby_hub names a key twice.")
    for role in HUB_ROLES:
        if not set(keyids) < set(root.roles[role].keyids) or not set(keyids) <= root.keys.keys():
            _refuse(f"The standby hub's keys are not among those of {role}, beside the hub's own.")
    return StandbyHub(hub, tuple(root.keys[keyid] for keyid in keyids))


def standby_field(standby: StandbyHub | None) -> dict[str, Any]:
    """What a root says besides."""
    return {} if standby is None else {STANDBY_HUB: {"hub": standby.hub, "keyids": list(standby.keyids)}}


def hub_key_ids(root: Root) -> set[str]:
    """Every key id that may sign snapshots or timestamps."""
    return {keyid for role in HUB_ROLES for keyid in root.roles[role].keyids}


def check_no_hidden_keys(root: Root, *, hub_keys: Sequence[Key], before: Root | None) -> None:
    """That no key came in for snapshot or timestamp but the hub's own and those of the standby hub that is named.

    One that the root before had in this hub's name may stay: a key that the hub replaced meanwhile is told elsewhere,
    and must not keep officers from changing their own. Raises MalformedMetadata.
    """
    standby, was = named_standby(root), _named_or_none(before)
    allowed = {key.keyid for key in hub_keys} | set(standby.keyids if standby else ())
    if before is not None:
        allowed |= hub_key_ids(before) - set(was.keyids if was else ())
    publics = {str(key.keyval.get("public")) for key in hub_keys}
    for keyid in sorted(hub_key_ids(root) - allowed):
        if str(root.keys[keyid].keyval.get("public")) not in publics:
            _refuse(f"The root names the key {keyid[:16]}…, neither this hub's nor a named standby hub's, for the hub.")


def following_standby(
    standing: StandbyHub | None, chosen: StandbyHub | None, own: Collection[str]
) -> StandbyHub | None:
    """What the next root says: `chosen` replaces, None lets `standing` be, one without keys removes it. A hub that is
    the publisher's own now (`own`: its key ids) is its standby no longer.
    """
    following = standing if chosen is None else chosen
    return None if following is None or not following.keys or set(following.keyids) & set(own) else following


def _named_or_none(root: Root | None) -> StandbyHub | None:
    return None if root is None else named_standby(root)


def _refuse(message: str) -> NoReturn:
    raise MalformedMetadata(message, role=ROOT)
