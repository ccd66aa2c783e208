"""Looking now and then whether the hub that was accepted is still the one that answers at its address."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from federation.documents import HubDescriptor
from federation.models import Peer
from federation.selectors.peers import watched_peers
from federation.services.descriptors import fetch_descriptor
from hashshare.services.problems import problem_document
from hashshare.wire import errors
from hashshare.wire.fingerprints import spoken

logger = logging.getLogger(__name__)

OWN_TROUBLE: Final = frozenset(
    f"/{error.slug}"
    for error in (
        errors.NetworkError,
        errors.TooSlow,
        errors.AddressRefused,
        errors.MalformedDescriptor,
        errors.PeerDiffers,
    )
)
"""What is over once the address answers as it should; what else stands there, others have seen, and they clear it."""
WORDS: Final = {
    "hub": "name",
    "url": "address",
    "peer_key": "peer key",
    "witness_key": "witness key",
    "log_key": "log key",
}
ONLY_WITNESS: Final = (
    "A hub makes another one when it was restored from a backup: its operator can tell you. Its cosignatures are not "
    "asked for until somebody accepts it again; all else goes on."
)


def check_peers(*, now: datetime) -> None:
    """Each that is active; what goes wrong with one is kept as its trouble and holds up none of the others."""
    for peer in watched_peers():
        try:
            check_peer(peer=peer, now=now)
        except errors.HashshareError as error:
            logger.warning("%s: %s", peer.name, error.message)


def check_peer(*, peer: Peer, now: datetime, fetch: Callable[[str], HubDescriptor] = fetch_descriptor) -> Peer:
    """Ask its address what it is; title and version may have changed. Call it outside of a transaction.

    Raises NotAPeer unless it was accepted; PeerDiffers when another hub answers: from then on nothing is taken from
    it (where its witness key alone is another: no cosignature) until a person accepts again; and what
    `fetch_descriptor` raises. All but the first is kept as its trouble.
    """
    if peer.state not in (Peer.State.ACTIVE, Peer.State.SUSPENDED):
        raise errors.NotAPeer(f"{peer.name} is {peer.get_state_display().lower()}: there is nothing to check.")
    try:
        return _judge(peer, fetch(peer.url), now)
    except errors.HashshareError as error:
        Peer.objects.filter(pk=peer.pk).update(trouble=problem_document(error))
        raise


def _judge(peer: Peer, said: HubDescriptor, now: datetime) -> Peer:
    """By the row as it is now: somebody may have accepted another while we asked."""
    with transaction.atomic():
        peer = Peer.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=peer.pk)
        if said.fingerprint == peer.fingerprint:
            return _follow(peer, said, now)
        _keep_apart(peer, said, now)
    raise errors.PeerDiffers(_difference(peer, said))


def _keep_apart(peer: Peer, said: HubDescriptor, now: datetime) -> None:
    """What now answers, beside what was accepted. When it changes once more, since when stays."""
    kept = HubDescriptor.of(peer.descriptor)
    others = [name for name in WORDS if getattr(kept, name) != getattr(said, name)]
    peer.differs = {"descriptor": said.to_document(), "fingerprint": said.fingerprint, "keys": others}
    peer.differs_at = peer.differs_at or now
    peer.save(update_fields=["differs", "differs_at"])


def _difference(peer: Peer, said: HubDescriptor) -> str:
    other = " and another ".join(WORDS[name] for name in peer.differs["keys"])
    # Its operator says which it is; what the other hub's own log says would prove nothing.
    what = "Nothing is taken from it until somebody accepts it again." if peer.is_another else ONLY_WITNESS
    return (
        f"{peer.name} shows another {other} than the hub that was accepted. {what} Its fingerprint now: "
        f"{spoken(said.fingerprint)}."
    )


def _follow(peer: Peer, said: HubDescriptor, now: datetime) -> Peer:
    """It is who it was. A difference that was seen meanwhile stays until a person has decided."""
    fields = ["reached_at", "title", "descriptor"]
    if peer.differs is None and str((peer.trouble or {}).get("type")).endswith(tuple(OWN_TROUBLE)):
        peer.trouble, fields = None, [*fields, "trouble"]
    peer.reached_at, peer.title, peer.descriptor = now, said.title, said.to_document()
    peer.save(update_fields=fields)
    return peer
