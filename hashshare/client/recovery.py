"""A hotline's new machine: the publisher's folder or its feed key was lost, and the officers' keys were not.

Everything but private keys can be had again: roots and targets from the hub, verified from the root whose fingerprint
the hotline itself has published; each list's declaration from its signed manifest. Then a new feed key takes over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hashshare.client import keyring, trust
from hashshare.client.desk import OFFICERS, Desk, Rotated
from hashshare.client.drafts import ListTerms
from hashshare.client.home import read_json, split_list_name, write_atomic
from hashshare.client.publisher import OwnList, find_list, save_list
from hashshare.client.refeeding import served_feed
from hashshare.client.rotation import rotate_feed
from hashshare.client.settling import bring_up_to_date
from hashshare.client.signers import held_keys, is_there
from hashshare.client.subscribe import catalogue
from hashshare.wire.documents import Fields
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import ExpiredMetadata, MalformedManifest, UsageError, VerificationFailed, WrongDigest
from hashshare.wire.manifest import Manifest, Redistribution
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import feed_manifest, list_ids
from hashshare.wire.repository.rotation import officer_keys


@dataclass(frozen=True, slots=True)
class Recovered:
    """`lists` are published from here from now on; of those in `declared` the hub's catalogue alone says what they are,
    since they have no release yet. `unknown` ids are delegated, but the hub shows no such list.
    """

    lists: tuple[OwnList, ...]
    declared: tuple[str, ...]
    unknown: tuple[str, ...]
    rotated: Rotated


def recover(desk: Desk, *, fingerprint: str, backup: Path | None = None) -> Recovered:
    """Rebuild the publisher's folder and give every list a feed key made here. Safe to repeat once officers signed.

    `fingerprint` is that of root version 1, from the hotline's own records; `backup` a folder of keys. Raises
    VerificationFailed when the hub's root is another, and what `rotation.rotate_feed` raises.
    """
    mine = desk.mine
    with mine.home.lock(f"publisher-{mine.domain}"):
        targets = _trusted(desk, fingerprint)
        if backup is not None:
            restore_keys(desk, backup)
        rows = {str(row.get("id")): row for row in catalogue(desk.session) if row.get("publisher") == mine.domain}
        found = {list_id: _rebuild(desk, list_id, rows.get(list_id)) for list_id in list_ids(targets)}
    lists = tuple(own for own, _ in found.values() if own is not None)
    rotated = rotate_feed(desk, all_lists=True)
    if not rotated.waits:
        for own in lists:
            with contextlib.suppress(ExpiredMetadata):
                bring_up_to_date(desk.session, own)
    return Recovered(
        lists,
        tuple(own.name for own, signed in found.values() if own is not None and not signed),
        tuple(list_id for list_id, (own, _) in found.items() if own is None),
        rotated,
    )


def restore_keys(desk: Desk, folder: Path) -> tuple[str, ...]:
    """Take over the root and targets keys that `folder`, a backup of a keys folder, has and the publisher's root names.

    Keys that are here stay. Returns the roles. The feed key is not taken: a new one is made.
    """
    stands, _ = desk.stands()
    done = []
    for role in OFFICERS:
        named = {key.keyid for key in officer_keys(stands.root, role)}
        for key in held_keys(folder):
            if key.keyid in named and is_there(key) and keyring.key_here(desk.mine, role) is None:
                keyring.copy_key(desk.mine, role, key)
                done.append(role)
    return tuple(done)


def _trusted(desk: Desk, fingerprint: str) -> bytes:
    """The newest targets, verified from the root of that fingerprint, which is kept as ours."""
    mine = desk.mine
    trust.pin(mine.home, mine.domain, fingerprint)
    stands, _ = desk.stands()
    first = trust.root_path(mine.home, mine.domain).read_bytes()
    if trust.usable_publisher(mine.home, mine.domain).state != "confirmed":
        raise VerificationFailed(f"The root of {mine.domain} that the hub gave is not the one you name.")
    if not mine.root_path.exists():
        write_atomic(mine.root_path, first)
    return stands.targets


def _rebuild(desk: Desk, list_id: str, row: Mapping[str, Any] | None) -> tuple[OwnList | None, bool]:
    """The list's record, and whether its signed manifest says so. None for one that has no release and no row."""
    feed = served_feed(desk.session, desk.mine, list_id)
    if feed is not None:
        manifest = _manifest(desk, feed_manifest(feed, list_id=list_id))
        terms = ListTerms(
            list_id,
            manifest.list_name,
            ListFormat(manifest.algorithms, manifest.scheme, manifest.columns),
            manifest.redistribution,
            manifest.poll_seconds,
        )
        return _keep(desk, terms), True
    if row is None:
        return None, False
    return _keep(desk, _declared(row)), False


def _manifest(desk: Desk, ref: ObjectRef) -> Manifest:
    body = bytes(desk.session.get(f"tuf/{desk.mine.domain}/targets/{ref.stored_path}").content)
    if ObjectRef.of(ref.path, body) != ref:
        raise WrongDigest(f"{ref.path} is not what the feed's signature names.")
    return Manifest.parse(body)


def _declared(row: Mapping[str, Any]) -> ListTerms:
    try:
        policy = Fields(dict(row["redistribution"]), where="redistribution", error=MalformedManifest)
        return ListTerms(
            str(row["id"]),
            str(row["name"]),
            ListFormat(tuple(map(str, row["algorithms"])), str(row["scheme"]), tuple(map(str, row["columns"]))),
            Redistribution.read(policy),
            int(row["poll_seconds"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedManifest("The hub's catalogue does not say what this list is.") from error


def _keep(desk: Desk, terms: ListTerms) -> OwnList:
    """Raises UsageError when a list of that name is here under another id, or for what is no list's name."""
    domain, slug = split_list_name(terms.name)
    if domain != desk.mine.domain:
        raise MalformedManifest(f"The list {terms.list_id} says that it is {terms.name}.")
    if read_json(desk.mine.list_path(slug)) is None:
        return save_list(desk.mine, slug, terms)
    own = find_list(desk.mine.home, terms.name)
    if own.list_id != terms.list_id:
        raise UsageError(f"{terms.name} is here as list {own.list_id}, and at the hub as {terms.list_id}.")
    return own
