"""What the hub tells of the keys that it keeps for a list: the one that it offers, and the feed that it signs anew."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from securesystemslib.signer import Key

from hashshare.client.answers import decoded
from hashshare.client.publisher import OwnList, OwnPublisher, find_list
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import NetworkError, UsageError, WrongDigest
from hashshare.wire.repository import feed_manifest, read_role


def offered_key(session: Session, own: OwnList) -> Key:
    """The hub's key for the list. Raises NotFound from a hub that keeps none, NetworkError for an odd answer."""
    answer = decoded(session.send("POST", f"lists/{own.publisher.domain}/{own.slug}/hosted-keys"))
    try:
        key = keys.tuf_key(base64.b64decode(answer["public_key"], validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise NetworkError("The hub's answer is not a key.") from error
    if key.keyid != answer.get("keyid"):
        raise NetworkError("The hub offers a key under an id that is not its own.")
    return key


def hosted_feed(session: Session, mine: OwnPublisher, list_id: str, *, keyid: str, feed: bytes) -> bytes:
    """The metadata `feed` under its next version, signed by the hub. Raises WrongDigest for anything else."""
    own = _own_list(mine, list_id)
    path = f"lists/{mine.domain}/{own.slug}/hosted-feeds"
    answer: Any = decoded(session.send("POST", path, json={"keyid": keyid}))
    try:
        body = base64.b64decode(answer["feed"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise NetworkError("The hub's answer is not signed metadata.") from error
    same = feed_manifest(body, list_id=list_id) == feed_manifest(feed, list_id=list_id)
    if not same or read_role(list_id, body).version != read_role(list_id, feed).version + 1:
        raise WrongDigest(f"The hub signed something else for {own.name} than what the list says. Nothing was changed.")
    return body


def _own_list(mine: OwnPublisher, list_id: str) -> OwnList:
    for slug in mine.slugs:
        own = find_list(mine.home, f"{mine.domain}/{slug}")
        if own.list_id == list_id:
            return own
    raise UsageError(f"The list {list_id} of {mine.domain} is not known on this machine.")
