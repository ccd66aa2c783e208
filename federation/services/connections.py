"""Speaking to a peer: the client's own session and home, with this hub's peer key in the place of an organisation's."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from federation.models import Peer
from federation.selectors.peers import is_active
from federation.services.reach import reach_of
from hashshare.client.home import Config, Home
from hashshare.client.session import Session
from hashshare.peering_keys import peer_key
from hashshare.wire import errors, keys


def home_of(peer: Peer) -> Home:
    """The folder with what this hub, as the peer's client, has verified of it: tokens, roots, metadata."""
    folder = Path(settings.HASHSHARE_DATA) / "peers" / peer.name.replace(":", "_")
    home = Home.open(folder)
    own = keys.fingerprint(peer_key().public)
    if not home.config_path.exists() or (home.config().hub_url, home.config().key_id) != (peer.url, own):
        home.save_config(Config(peer.url, dict(peer.descriptor), {}, own))
    return home


def session_with(peer: Peer) -> Session:
    """Requests to the peer, signed as this hub; it is led nowhere else (`reach`). Raises NotAPeer unless the peer is
    active, PeerDiffers while its address shows another hub than the one that was accepted.
    """
    if not is_active(peer):
        state = "suspended" if peer.state == Peer.State.ACTIVE else peer.get_state_display().lower()
        raise errors.NotAPeer(f"{peer.name} is {state}: nothing is asked of it.")
    if peer.is_another:
        raise errors.PeerDiffers(f"Another hub answers at {peer.url} than the one that was accepted.")
    token = home_of(peer).path / "token.json"
    return Session(peer.url, key=peer_key().private, token_path=token, reach=reach_of(peer))
