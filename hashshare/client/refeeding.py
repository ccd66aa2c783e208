"""Lists whose feed key changes: new targets take effect only together with their feeds, signed anew by the new keys.

While a request travels to officers, releases go on under the old key. So such feeds are never carried along: they are
made at the very moment of the commit. The release that is served is signed as it is; the hub takes nothing else beside
targets.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Snapshot

from hashshare.client import trust
from hashshare.client.hosted_keys import hosted_feed
from hashshare.client.publisher import OwnPublisher, find_list
from hashshare.client.session import Session
from hashshare.client.signed import note_signed
from hashshare.client.signers import Ask, HeldKey, held_keys, open_signer
from hashshare.client.store import ListStore
from hashshare.client.sync import Head, heads, sync_list
from hashshare.wire.errors import UsageError, WrongDigest
from hashshare.wire.repository import Trusted, feed_manifest, hosted_lists, renew_feed
from hashshare.wire.repository.metadata import SNAPSHOT, read_typed
from hashshare.wire.repository.rotation import feed_keys, uncovered


@contextlib.contextmanager
def feeds_anew(
    session: Session,
    mine: OwnPublisher,
    *,
    before: bytes | None,
    after: bytes,
    ask: Ask,
    now: datetime,
    anew: bool = False,
) -> Iterator[dict[str, bytes]]:
    """By list id, the feed metadata to commit beside the targets `after`: of lists whose feeds, as the targets `before`
    had them signed, no key of `after` covers.

    `anew`: nothing that stands at the hub follows from what is trusted here, which may be another's beginning; so each
    list is looked at as the hub has it now. What it serves is signed as it is, and put right by the next publication.

    Publications of these lists wait until the body has ended; then those held here are synced. Raises UsageError when
    no key that `after` names for such a list is here, WrongDigest for a feed that is not what the hub's snapshot names.
    """
    changed = sorted(feed_keys(after)) if anew else _given_to_others(before, after)
    with contextlib.ExitStack() as locks:
        for list_id in changed:
            locks.enter_context(mine.home.lock(f"publish-{list_id}"))
        found = _standing_feeds(session, mine) if anew else {it: served_feed(session, mine, it) for it in changed}
        standing = {list_id: feed for list_id in changed if (feed := found.get(list_id))}
        hanging = uncovered(Trusted(None, after, standing))
        yield {it: _sign_anew(session, mine, it, standing[it], after, ask=ask, now=now) for it in hanging}
        _sync(session, OwnPublisher(mine.home, mine.domain), hanging)


def _given_to_others(before: bytes | None, after: bytes) -> list[str]:
    """The lists whose feed keys are not those that they were, by id: every run takes their locks in one order."""
    old, new = ({} if body is None else feed_keys(body) for body in (before, after))
    return sorted(list_id for list_id, keys in old.items() if keys != new.get(list_id, keys))


def served_feed(session: Session, mine: OwnPublisher, list_id: str) -> bytes | None:
    """The feed metadata that the last verified snapshot names, signed by a key of the list; None before any release.

    It may have expired: then a new signature is what it needs. Raises WrongDigest when the hub gives something else.
    """
    folder = trust.metadata_dir(mine.home, mine.domain)
    snapshot = read_typed(SNAPSHOT, (folder / "snapshot.json").read_bytes(), Snapshot).signed
    named = snapshot.meta.get(f"{list_id}.json")
    if named is None:
        return None
    body = bytes(session.get(f"tuf/{mine.domain}/metadata/{named.version}.{list_id}.json").content)
    try:
        named.verify_length_and_hashes(body)
    except LengthOrHashMismatchError as error:
        raise WrongDigest(f"The hub's feed metadata of list {list_id} is not what its snapshot names.") from error
    if uncovered(Trusted(None, (folder / "targets.json").read_bytes(), {list_id: body})):
        raise WrongDigest(f"The hub's feed metadata of list {list_id} is not signed by a key of that list.")
    feed_manifest(body, list_id=list_id)
    return body


def _standing_feeds(session: Session, mine: OwnPublisher) -> dict[str, bytes]:
    """By list id, as the hub has them now, whoever signed them. Raises MalformedMetadata for what is no feed."""
    own = [head for head in heads(session, mine.home) if head.publisher == mine.domain]
    found = {}
    for head in own:
        path = f"tuf/{mine.domain}/metadata/{head.role_version}.{head.list_id}.json"
        found[head.list_id] = bytes(session.get(path).content)
        feed_manifest(found[head.list_id], list_id=head.list_id)
    return found


def _sign_anew(
    session: Session, mine: OwnPublisher, list_id: str, feed: bytes, targets: bytes, *, ask: Ask, now: datetime
) -> bytes:
    """The feed that stands, under the next version and a key that `targets` names: one here, or the hub's."""
    if list_id in hosted_lists(targets):
        (key,) = feed_keys(targets)[list_id]
        return hosted_feed(session, mine, list_id, keyid=key.keyid, feed=feed)
    signer = open_signer(_key_here(mine, targets, list_id), ask)
    renewed = renew_feed(feed, list_id=list_id, signers=[signer], now=now)
    note_signed(OwnPublisher(mine.home, mine.domain), list_id, renewed, now=now)
    return renewed


def _key_here(mine: OwnPublisher, targets: bytes, list_id: str) -> HeldKey:
    named = {key.keyid for key in feed_keys(targets)[list_id]}
    for key in [*held_keys(mine.keys_folder), *held_keys(OwnPublisher(mine.home, mine.domain).keys_folder)]:
        if key.keyid in named:
            return key
    raise UsageError(
        f"No key that is to sign the list {list_id} of {mine.domain} is on this machine, so nothing was changed.",
        next_step="Submit the request where the new feed key is.",
    )


def _sync(session: Session, mine: OwnPublisher, refreshed: tuple[str, ...]) -> None:
    """What is published and held here, under its new signature."""
    for own in (find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs):
        held = ListStore(mine.home, own.list_id).held()
        if own.list_id in refreshed and held is not None:
            head = Head(own.name, own.list_id, mine.domain, held.role_version + 1, held.version)
            sync_list(session, mine.home, head, accept_shrink=True, force=True, history=True)
