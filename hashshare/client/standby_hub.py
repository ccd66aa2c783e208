"""Naming another hub in a publisher's root, to take over when its own is dead."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import requests
from tuf.api.metadata import Root

from hashshare.client.addresses import checked_url, is_loopback
from hashshare.client.answers import decoded_object, network_error, read_whole
from hashshare.client.desk import Desk, Rotated
from hashshare.client.doctor.reach import TIMEOUT
from hashshare.client.identity import hub_key, hub_keys
from hashshare.wire.errors import NetworkError, UsageError, VerificationFailed
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.manifest import HUB
from hashshare.wire.repository import StandbyHub, next_root, standby_hub
from hashshare.wire.repository.metadata import ROOT, read_typed
from hashshare.wire.repository.standby_hub import hub_key_ids


def offered(url: str) -> StandbyHub:
    """What the hub at `url` says of itself: its name and its two keys for snapshots and timestamps. Nothing is believed
    of it before its fingerprint was compared. Raises UsageError, InsecureTransport, NetworkError.
    """
    url = checked_url(url).rstrip("/")
    http = requests.Session()
    http.trust_env = not is_loopback(urlsplit(url).hostname or "")
    authorities = os.environ.get("REQUESTS_CA_BUNDLE") or True
    try:
        with http.get(
            f"{url}/.well-known/hashshare", timeout=TIMEOUT, allow_redirects=False, stream=True, verify=authorities
        ) as response:
            read_whole(response)
    except requests.RequestException as error:
        raise network_error(error, url) from error
    document = decoded_object(response)
    try:
        hub, keys = str(document["hub"]), tuple(hub_key(entry) for entry in document["keys"])
    except (KeyError, TypeError, ValueError) as error:
        raise NetworkError(f"{urlsplit(url).netloc} does not answer like a hashshare hub.") from error
    if response.status_code != 200 or not HUB.fullmatch(hub) or len({key.keyid for key in keys}) != 2:
        raise NetworkError(f"{urlsplit(url).netloc} does not answer like a hashshare hub.")
    return StandbyHub(hub, keys)


def compared(found: StandbyHub, fingerprint: str) -> StandbyHub:
    """`found`, if the fingerprint that its operator read out is its own. Raises UsageError, VerificationFailed."""
    said = parse_fingerprint(fingerprint)
    if said != found.fingerprint:
        raise VerificationFailed(
            f"{found.hub} has other keys than its operator read to you. Nothing was changed.",
            next_step="If you typed it right, somebody between you and that hub is lying: tell its operator.",
            offered=found.fingerprint,
            named=said,
        )
    return found


def name_standby(desk: Desk, chosen: StandbyHub | None) -> Rotated:
    """A root that names `chosen` as the standby hub, or none any more. The hub's own keys stay as the root has them.

    Raises UsageError for the publisher's own hub.
    """

    def change() -> Rotated:
        stands, _ = desk.stands(root_alone=True)
        standing = standby_hub(stands.root)
        if standing == chosen:
            return desk.nothing()
        if chosen is not None and set(chosen.keyids) & {key.keyid for key in hub_keys(desk.session)}:
            raise UsageError(f"{chosen.hub} is the hub of {desk.mine.domain} already; a standby hub is another.")
        after = next_root(stands.root, standby_hub=chosen or StandbyHub("", ()), signers=[], now=desk.now)
        before, following = (hub_key_ids(read_typed(ROOT, body, Root).signed) for body in (stands.root, after))
        removed, added = tuple(sorted(before - following)), tuple(sorted(following - before))
        return desk.rotated(removed, added, desk.propose({"root": after}, stands))

    return desk.locked(change)
