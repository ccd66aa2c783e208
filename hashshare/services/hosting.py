"""Hosted keys: offered to a hotline, in use once its targets name them, out of use once they do not.

What the hotline's targets say is the only authority: the hub refuses a key of its own that is not declared as such, and
a declaration over a key that is not its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from hashshare.hosted_keys import hosted_key
from hashshare.models import HashList, HostedKey, OrganisationKey, Publisher
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import home_list
from hashshare.selectors.metadata import newest
from hashshare.services.keys import add_key
from hashshare.wire import errors, keys
from hashshare.wire.repository import hosted_lists, renew_feed
from hashshare.wire.repository.rotation import feed_keys

MOST_NUMBERS: Final = 64
"""How far a hub whose rows were lost counts up in search of a key."""


@transaction.atomic
def offer_hosted_key(*, caller: Caller, domain: str, slug: str, now: datetime) -> HostedKey:
    """A key for the hotline's targets to name; the one that was offered last as long as it is not in use.

    Raises NotEntitled for another's list, Mirrored.
    """
    caller.require_write()
    found = home_list(caller=caller, domain=domain, slug=slug)
    locked = HashList.objects.select_for_update().select_related("publisher").get(pk=found.pk)
    last = locked.hosted_keys.first()
    if last is not None and last.accepted_at is None and last.retired_at is None and _is_derived(last):
        return last
    return _make(locked, number=(last.number if last else 0) + 1, now=now)


def renewed_feed(*, caller: Caller, domain: str, slug: str, keyid: str, now: datetime) -> bytes:
    """The feed metadata that is served, under its next version and the hosted key `keyid`: what goes beside targets
    that give the list to this key. No content but what the list says already is ever signed so.

    Raises NotEntitled, NotFound (no release yet; no such key).
    """
    caller.require_write()
    found = home_list(caller=caller, domain=domain, slug=slug)
    row = found.hosted_keys.filter(keyid=keyid, retired_at=None).first()
    feed = newest(publisher=found.publisher, role=found.tuf_id)
    if row is None or feed is None:
        raise errors.NotFound("There is no such key, or the list has no release yet.")
    return renew_feed(feed.content, list_id=found.tuf_id, signers=[keys.tuf_signer(private_key(row))], now=now)


def private_key(row: HostedKey) -> Ed25519PrivateKey:
    """Raises HostedKeyLost when this hub's secret is another than the one that the key was made of."""
    if not _is_derived(row):
        raise errors.HostedKeyLost(f"The hub cannot sign {row.list.name}: its hosted.pem was lost or replaced.")
    return hosted_key("feed", list_id=row.list.tuf_id, number=row.number)


def request_key(row: HostedKey) -> Ed25519PrivateKey:
    """What signs the requests by which the hub's worker hands over what it signed."""
    return hosted_key("request", list_id=row.list.tuf_id, number=row.number)


def key_in_use(hash_list: HashList) -> HostedKey:
    """Raises HostedKeyLost when the list is hosted by a key that is not here, NotAllowed when it is not hosted."""
    if not hash_list.hosted:
        raise errors.NotAllowed(f"{hash_list.name} is not hosted: its hotline signs it.")
    rows = hash_list.hosted_keys.select_related("list__publisher__organisation", "hand")
    row = rows.filter(accepted_at__isnull=False, retired_at=None).first()
    if row is None:
        raise errors.HostedKeyLost(f"The hub has no key for {hash_list.name}, which its targets say it keeps.")
    return row


# --- What targets say -------------------------------------------------------------------------------------------


def check_hosting(publisher: Publisher, targets: bytes) -> None:
    """Raises MalformedMetadata unless just those lists are declared as hosted whose key the hub keeps for them."""
    declared, named = hosted_lists(targets), _named(targets)
    rows = HostedKey.objects.filter(list__publisher=publisher).select_related("list")
    of_hub = {row.keyid: row for row in rows}
    for hash_list in HashList.objects.filter(publisher=publisher, tuf_id__in=named):
        keyids = named[hash_list.tuf_id]
        if hash_list.tuf_id not in declared:
            if set(keyids) & set(of_hub):
                raise errors.MalformedMetadata(
                    f"The list {hash_list.tuf_id} is given to a key that the hub keeps, and does not say so.",
                    role="targets",
                )
        elif len(keyids) != 1 or not _keeps(of_hub.get(keyids[0]), hash_list, keyids[0]):
            raise errors.MalformedMetadata(
                f"The list {hash_list.tuf_id} says that it is hosted, but its key is none that the hub keeps for it.",
                next_step="Run: hashshare publisher list host LIST, or list unhost LIST.",
                role="targets",
            )


def follow_hosting(publisher: Publisher, targets: bytes, now: datetime) -> None:
    """What accepted targets say takes effect. Call in the transaction that accepts them."""
    declared, named = hosted_lists(targets), _named(targets)
    for hash_list in HashList.objects.select_for_update().filter(publisher=publisher):
        hosted = hash_list.tuf_id in declared
        keyid = named[hash_list.tuf_id][0] if hosted else ""
        if hash_list.hosted != hosted:
            hash_list.hosted = hosted
            hash_list.save(update_fields=["hosted"])
        hash_list.publisher = publisher
        _retire(hash_list, but=keyid, now=now)
        if hosted:
            _take_into_use(hash_list, keyid, now)


def _named(targets: bytes) -> Mapping[str, tuple[str, ...]]:
    return {list_id: tuple(key.keyid for key in found) for list_id, found in feed_keys(targets).items()}


def _keeps(row: HostedKey | None, hash_list: HashList, keyid: str) -> bool:
    """Whether the key was offered for this list and is not out of use, or is one whose row was lost with a database."""
    if row is not None:
        return row.list_id == hash_list.pk and row.retired_at is None
    return _number_of(hash_list, keyid) is not None


def _retire(hash_list: HashList, *, but: str, now: datetime) -> None:
    """A key that was in use and is no longer; nobody needs what it signed requests with."""
    gone = hash_list.hosted_keys.filter(accepted_at__isnull=False, retired_at=None).exclude(keyid=but)
    OrganisationKey.objects.filter(pk__in=gone.values("hand"), revoked_at=None).update(revoked_at=now)
    gone.update(retired_at=now)


def _take_into_use(hash_list: HashList, keyid: str, now: datetime) -> None:
    row = hash_list.hosted_keys.filter(keyid=keyid).first()
    if row is None and (number := _number_of(hash_list, keyid)) is not None:
        row = _make(hash_list, number=number, now=now)
    if row is not None and row.accepted_at is None:
        row.accepted_at = now
        row.hand = _hand(row, now)
        row.save(update_fields=["accepted_at", "hand"])


def _hand(row: HostedKey, now: datetime) -> OrganisationKey:
    public = keys.public_bytes(request_key(row))
    known = OrganisationKey.objects.filter(fingerprint=keys.fingerprint(public)).first()
    name = f"This hub, for the hosted list {row.list.slug}"
    return known or add_key(organisation=row.list.publisher.organisation, public_key=public, name=name, now=now)


def _make(hash_list: HashList, *, number: int, now: datetime) -> HostedKey:
    public = _public(hash_list, number)
    fields: dict[str, Any] = {"keyid": keys.tuf_key(public).keyid, "public_key": public, "created_at": now}
    row, _ = HostedKey.objects.get_or_create(list=hash_list, number=number, defaults=fields)
    return row


def _number_of(hash_list: HashList, keyid: str) -> int | None:
    numbers = range(1, MOST_NUMBERS + 1)
    return next((it for it in numbers if keys.tuf_key(_public(hash_list, it)).keyid == keyid), None)


def _is_derived(row: HostedKey) -> bool:
    return _public(row.list, row.number) == bytes(row.public_key)


def _public(hash_list: HashList, number: int) -> bytes:
    return keys.public_bytes(hosted_key("feed", list_id=hash_list.tuf_id, number=number))
