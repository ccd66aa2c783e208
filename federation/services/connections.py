"""Speaking to a peer: the client's own session and home, with this hub's peer key in the place of an organisation's."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from federation.models import Peer
from hashshare.client.home import Config, Home
from hashshare.client.session import Session
from hashshare.peering_keys import peer_key
from hashshare.wire import errors, keys


def home_of(peer: Peer) -> Home:
    """The folder with what this hub, as the peer's client, has verified of it: tokens, roots, metadata."""
    folder = Path(settings.HASHSHARE_DATA) / "peers" / peer.name.replace(":", "_")
    home = Home.open(folder)
    if not home.config_path.exists():
        home.save_config(Config(peer.url, dict(peer.descriptor), {}, keys.fingerprint(peer_key().public)))
    return home


def session_with(peer: Peer) -> Session:
    """Requests to the peer, signed as this hub. Raises NotAPeer unless the peer is active."""
    if peer.state != Peer.State.ACTIVE:
        raise errors.NotAPeer(f"{peer.name} is {peer.get_state_display().lower()}: nothing is asked of it.")
    return Session(peer.url, key=peer_key().private, token_path=home_of(peer).path / "token.json")
