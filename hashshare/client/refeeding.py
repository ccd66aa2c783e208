"""Lists whose feed key changes: new targets take effect only together with their feeds, signed anew by the new keys.

While a request travels to officers, releases go on under the old key. So such feeds are never carried along: they are
made at the very moment of the commit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from tuf.api.metadata import Targets

from hashshare.client import trust
from hashshare.client.publisher import OwnList, OwnPublisher, find_list
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date
from hashshare.client.signers import Ask, held_keys, open_signer
from hashshare.client.store import ListStore
from hashshare.client.sync import Head, sync_list
from hashshare.wire.errors import UsageError
from hashshare.wire.repository import sign_release
from hashshare.wire.repository.metadata import TARGETS, read_typed


@contextlib.contextmanager
def feeds_anew(
    session: Session, mine: OwnPublisher, *, before: bytes | None, after: bytes, ask: Ask, now: datetime
) -> Iterator[dict[str, bytes]]:
    """By list id, the feed metadata to commit beside the targets `after`: of lists that `before` gave to other keys.

    Publications of these lists wait until the body has ended; then each is synced. Raises UsageError when no key that
    `after` names for such a list is here.
    """
    lists = _given_to_others(mine, before, after)
    with contextlib.ExitStack() as locks:
        for own in lists:
            locks.enter_context(mine.home.lock(f"publish-{own.list_id}"))
        made = {own.list_id: _sign_anew(session, own, after, ask=ask, now=now) for own in lists}
        feeds = {list_id: feed for list_id, feed in made.items() if feed is not None}
        yield feeds
        for own in lists:
            if own.list_id in feeds:
                _sync(session, own)


def _given_to_others(mine: OwnPublisher, before: bytes | None, after: bytes) -> list[OwnList]:
    """The lists published from here whose feed keys are not those that they were."""
    old, new = ({} if body is None else _feed_keys(body) for body in (before, after))
    own = [find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs]
    return [it for it in own if it.list_id in old and old[it.list_id] != new.get(it.list_id, old[it.list_id])]


def _feed_keys(targets: bytes) -> dict[str, frozenset[str]]:
    delegations = read_typed(TARGETS, targets, Targets).signed.delegations
    roles = delegations.roles if delegations else None
    return {name: frozenset(role.keyids) for name, role in (roles or {}).items()}


def _sign_anew(session: Session, own: OwnList, targets: bytes, *, ask: Ask, now: datetime) -> bytes | None:
    """The feed that stands, under the next version and a key that `targets` names; None before a first release."""
    if bring_up_to_date(session, own) is None:
        return None
    named = _feed_keys(targets)[own.list_id]
    key = next((key for key in held_keys(own.publisher.keys_folder) if key.keyid in named), None)
    if key is None:
        raise UsageError(
            f"No key that is to sign {own.name} is on this machine, so nothing was changed.",
            next_step="Submit the request where the new feed key is.",
        )
    return sign_release(
        list_id=own.list_id,
        manifest=ListStore(own.publisher.home, own.list_id).manifest_bytes(),
        version=trust.feed_metadata(own.publisher.home, own.publisher.domain, own.list_id).version + 1,
        signers=[open_signer(key, ask)],
        now=now,
    )


def _sync(session: Session, own: OwnList) -> None:
    home, held = own.publisher.home, ListStore(own.publisher.home, own.list_id).held()
    if held is not None:
        head = Head(own.name, own.list_id, own.publisher.domain, held.role_version + 1, held.version)
        sync_list(session, home, head, accept_shrink=True, force=True, history=True)
