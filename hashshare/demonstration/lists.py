"""Publishers and lists of a demonstration, each with a head that is really signed and really stored."""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.demonstration.cast import SUBJECTS, Subject
from hashshare.demonstration.entries import fill_table
from hashshare.demonstration.sizes import Size
from hashshare.hub_keys import hub_keys
from hashshare.models import HashList, Organisation, Publisher, StoredObject
from hashshare.selectors.callers import Caller
from hashshare.services.lists import create_list
from hashshare.services.logs import log_of
from hashshare.services.publication import keep_metadata
from hashshare.services.timestamps import sign_snapshot_and_timestamp
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Base, Manifest
from hashshare.wire.objects import ObjectRef, base_index_path, manifest_path
from hashshare.wire.segments import write_base

TERMS: Final = "For detection only. Withdrawals are applied within a day. Made up, for looking at."
OVERLAP: Final = 0.7
"""Where the numbers of the next list with the same key begin, as a share of this one's: the rest they share."""


@dataclass(frozen=True, slots=True)
class Head:
    """A list and how many releases led to its head."""

    list: HashList
    releases: int
    manifest: ObjectRef


def make_lists(*, size: Size, hotlines: list[Organisation], dice: random.Random, now: datetime) -> list[Head]:
    """The lists, spread over the hotlines; each hotline's first is of images."""
    heads: list[Head] = []
    for number, hotline in enumerate(hotlines):
        mine = range(number, size.lists, len(hotlines))
        if mine:
            heads += _publish(hotline, len(mine), size, dice, first=number, now=now)
    return heads


def _publish(
    hotline: Organisation, count: int, size: Size, dice: random.Random, *, first: int, now: datetime
) -> list[Head]:
    """Root, targets, and the heads of so many lists. The keys are forgotten: nobody signs here again."""
    begun = now - timedelta(days=40)
    publisher = Publisher.objects.create(
        domain=f"{hotline.slug}.example", organisation=hotline, created_at=hotline.created_at
    )
    officer, feed = keys.generate(), keys.generate()
    caller = Caller(hotline, "session", "demonstration")
    rows = [_list(caller, publisher, _subject(first, i), i, dice) for i in range(count)]
    signer = keys.tuf_signer(officer)
    root = repository.create_root(
        root_keys=[signer.public_key],
        targets_keys=[signer.public_key],
        hub_keys=hub_keys().both,
        signers=[signer],
        now=begun,
    )
    targets = repository.create_targets(signers=[signer], now=begun)
    delegated = {row.tuf_id: [keys.tuf_signer(feed).public_key] for row in rows}
    targets = repository.delegate_lists(targets, keys=delegated, signers=[signer], now=begun, amend=True)
    for role, body in (("root", root), ("targets", targets)):
        keep_metadata(publisher, repository.read_role(role, body), begun)
    publisher.root_fingerprint = repository.root_fingerprint(root)
    publisher.save(update_fields=["root_fingerprint"])
    log_of(publisher, now=now)
    heads = [_head(row, feed, size, dice, first=first, now=now) for row in rows]
    sign_snapshot_and_timestamp(publisher=publisher, now=now)
    return heads


def _subject(first: int, number: int) -> Subject:
    """Images, then the others in turn, beginning with another one at each hotline; none twice before all were there."""
    return SUBJECTS[0 if number == 0 else 1 + (first + number - 1) % (len(SUBJECTS) - 1)]


def _list(caller: Caller, publisher: Publisher, subject: Subject, number: int, dice: random.Random) -> HashList:
    row = create_list(
        caller=caller,
        publisher=publisher.domain,
        slug=subject.slug if number < len(SUBJECTS) else f"{subject.slug}-{number}",
        tuf_id=f"{dice.getrandbits(64):016x}",
        title=subject.title,
        description="Made up, for looking at: hashes of counting numbers.",
        algorithms=subject.algorithms,
        scheme=subject.scheme,
        columns=subject.columns,
        terms=TERMS,
        now=publisher.created_at,
    )
    row.publisher = publisher
    return row


def _head(
    row: HashList, feed: Ed25519PrivateKey, size: Size, dice: random.Random, *, first: int, now: datetime
) -> Head:
    """A base of everything at the newest version, stored and signed."""
    fmt = ListFormat(tuple(row.algorithms), row.scheme, tuple(row.columns))
    releases = max(2, size.releases // size.lists)
    signed_at = (now - timedelta(hours=dice.randrange(1, 60))).replace(microsecond=0)
    count = max(50, int(size.entries * dice.uniform(0.3, 1.0)))
    begin = int(first * size.entries * OVERLAP)
    with tempfile.TemporaryDirectory() as folder:
        shards = _written(row, fmt, Path(folder), version=releases, first=begin, count=count, at=signed_at)
    entries = sum(shard.entries for shard in shards)
    index = BaseIndex(row.tuf_id, releases, entries, shards)
    at = _store(row, base_index_path(row.tuf_id, version=releases), index.to_bytes(), signed_at)
    manifest = Manifest(
        list_id=row.tuf_id,
        list_name=row.name,
        version=releases,
        algorithms=fmt.algorithms,
        scheme=fmt.scheme,
        columns=fmt.columns,
        published_at=signed_at,
        entries=entries,
        base=Base(releases, entries, index.total_bytes, at, signed_at),
    )
    ref = _store(row, manifest_path(row.tuf_id), manifest.to_bytes(), signed_at)
    body = repository.sign_release(
        list_id=row.tuf_id,
        manifest=manifest.to_bytes(),
        version=releases,
        signers=[keys.tuf_signer(feed)],
        now=signed_at,
    )
    keep_metadata(row.publisher, repository.read_role(row.tuf_id, body), signed_at, hash_list=row)
    row.version = row.role_version = releases
    row.entries, row.manifest_digest, row.published_at = entries, ref.sha256, signed_at
    row.state = HashList.State.ACTIVE
    row.save()
    return Head(row, releases, ref)


def _written(
    row: HashList, fmt: ListFormat, folder: Path, *, version: int, first: int, count: int, at: datetime
) -> tuple[Shard, ...]:
    with open_engine(write=folder) as engine:
        fill_table(engine, fmt, first=first, count=count)
        written = write_base(engine, "rows", folder, fmt=fmt, version=version)
        stored = [_store(row, f"{row.tuf_id}/{it.path.name}", it.path.read_bytes(), at) for it in written]
    facts = [it.facts for it in written]
    return tuple(Shard(it.low, it.high, it.rows, ref) for it, ref in zip(facts, stored, strict=True))


def _store(row: HashList, path: str, body: bytes, at: datetime) -> ObjectRef:
    ref = ObjectRef.of(path, body)
    object_store().receive(object_key(row.tuf_id, ref.sha256, ref.name), [body], limit=len(body))
    StoredObject.objects.create(
        list=row, name=ref.name, digest=ref.sha256, length=ref.length, uploaded_at=at, published_at=at
    )
    return ref
