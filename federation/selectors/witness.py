"""What this hub has witnessed, as anybody may read it; and whose logs it witnesses at all."""

from __future__ import annotations

from federation.models import Peer, WitnessedLog
from federation.selectors.peers import is_active
from hashshare.peering_keys import PeeringKey, witness_key, witness_name
from hashshare.selectors.recovery import refuse_retired
from hashshare.wire.errors import MalformedLog, NotFound
from hashshare.wire.log.cosignatures import Cosigner, cosign
from hashshare.wire.log.notes import read_note
from hashshare.wire.log.successions import first_origin


def own_cosigner() -> Cosigner:
    """This hub as a witness."""
    return Cosigner(witness_name(), witness_key().public)


def cosigning_key() -> PeeringKey:
    """The key to cosign with. Raises HubRestored for one that came back with a backup."""
    key = witness_key()
    refuse_retired(key.public)
    return key


def peer_of_log(origin: str) -> Peer:
    """The active peer whose log has that name: one below the peer's own. Raises NotFound."""
    try:
        host = first_origin(origin).partition("/log/")[0]
    except MalformedLog:
        host = ""
    peer = Peer.objects.select_related("organisation").filter(name=host).first() if host else None
    if peer is None or not is_active(peer):
        raise NotFound("This witness knows no log of that name.")
    return peer


def cosigned_note(origin: str) -> str:
    """What this hub cosigned last of a peer's log, with its cosignature and the time of that.

    Raises NotFound; HubRestored where another machine's row would be signed with a key that was retired.
    """
    row = WitnessedLog.objects.filter(origin=origin).exclude(checkpoint="").first()
    if row is None or row.cosigned_at is None:
        raise NotFound("Nothing of such a log was cosigned here.")
    text, _ = read_note(row.checkpoint)
    made = cosign(text, name=witness_name(), key=cosigning_key().private, at=int(row.cosigned_at.timestamp()))
    return row.checkpoint + made.line
