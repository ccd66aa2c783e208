"""Beginning logs and adding leaves to them. A leaf is written in the transaction of what it tells; its place in the
log comes within a minute (services/sealing.py).
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from hashshare.log_keys import PUBLICATION, log_key, origin_of
from hashshare.models import Leaf, Log, Publisher
from hashshare.selectors.logs import delivery_log, publication_log, tile_reader
from hashshare.wire.log.checkpoints import Checkpoint, sign_checkpoint
from hashshare.wire.log.deeds import DeedRow
from hashshare.wire.log.leaves import DEED, DELIVERY, entry_of, new_opening, publication_entry
from hashshare.wire.log.merkle import EMPTY_ROOT
from hashshare.wire.log.peer_changes import PeerChange
from hashshare.wire.log.replacements import RootReplaced
from hashshare.wire.log.rows import Row
from hashshare.wire.log.takeovers import TakenOver
from hashshare.wire.log.trees import Tree
from hashshare.wire.log.witness_keys import WitnessKeyReplaced


def begin_logs(*, now: datetime) -> None:
    """The publication log, and one for every publisher that has a root; those that are there stay."""
    log_of_publications(now=now)
    for publisher in Publisher.objects.filter(log=None).exclude(root_fingerprint=""):
        log_of(publisher, now=now)


def log_of(publisher: Publisher, *, now: datetime) -> Log:
    """The publisher's delivery log."""
    return delivery_log(publisher=publisher) or begin(Log.Kind.DELIVERY, publisher, now)


def log_of_publications(*, now: datetime) -> Log:
    return publication_log() or begin(Log.Kind.PUBLICATION, None, now)


def begin(kind: str, publisher: Publisher | None, now: datetime) -> Log:
    """An empty log is signed like any other, so that there is always a checkpoint to start from."""
    origin = origin_of(publisher.domain if publisher else PUBLICATION)
    signed = sign_checkpoint(Checkpoint(origin, 0, EMPTY_ROOT), key=log_key().private)
    log = Log(kind=kind, publisher=publisher, origin=origin, root=EMPTY_ROOT, sealed_at=now, published_at=now)
    log.checkpoint = log.public_checkpoint = signed
    try:
        with transaction.atomic():
            log.save(force_insert=True)
    except IntegrityError:
        return Log.objects.get(kind=kind, publisher=publisher)  # somebody else began it at this moment
    return log


@transaction.atomic
def sign_logs_anew() -> int:
    """Put the signature of the log key that is here under every log as it stands; how many. Whoever remembers the key
    before refuses them by name.
    """
    key, rows = log_key().private, list(Log.objects.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    for log in rows:
        shown = Tree(log.public_size, tile_reader(log)).root()
        log.checkpoint = sign_checkpoint(Checkpoint(log.origin, log.size, bytes(log.root)), key=key)
        log.public_checkpoint = sign_checkpoint(Checkpoint(log.origin, log.public_size, shown), key=key)
        log.cosigned = []
        log.save(update_fields=["checkpoint", "public_checkpoint", "cosigned"])
    return len(rows)


def add_publication(*, metadata: bytes, now: datetime) -> None:
    """The digest of a file of signed metadata that was accepted."""
    log = log_of_publications(now=now)
    Leaf.objects.create(log=log, kind=Leaf.Kind.PUBLICATION, entry=publication_entry(metadata), created_at=now)


def add_replacement(replaced: RootReplaced, *, now: datetime) -> None:
    """That a publisher's root was replaced without the old one's signature."""
    log = log_of_publications(now=now)
    Leaf.objects.create(log=log, kind=Leaf.Kind.REPLACEMENT, entry=replaced.to_entry(), created_at=now)


def add_peer_change(change: PeerChange, *, now: datetime) -> None:
    """What became of another hub, for all to read."""
    log = log_of_publications(now=now)
    Leaf.objects.create(log=log, kind=Leaf.Kind.PEER, entry=change.to_entry(), created_at=now)


def add_takeover(moved: TakenOver, *, now: datetime) -> None:
    """That a publisher is at home at another hub from now on."""
    log = log_of_publications(now=now)
    Leaf.objects.create(log=log, kind=Leaf.Kind.TAKEOVER, entry=moved.to_entry(), created_at=now)


def add_witness_key(replaced: WitnessKeyReplaced, *, now: datetime) -> None:
    """That this hub cosigns other hubs' logs with another key from now on."""
    log = log_of_publications(now=now)
    Leaf.objects.create(log=log, kind=Leaf.Kind.WITNESS, entry=replaced.to_entry(), created_at=now)


def label_of(log: Log) -> bytes:
    """What its hidden entries begin with."""
    return DEED if log.kind == Log.Kind.PUBLICATION else DELIVERY


def hidden_leaf(log_id: int, row: Row | DeedRow, now: datetime, *, label: bytes = DELIVERY) -> Leaf:
    """A leaf of a delivery log, or with DEED of the other, not yet saved: its opening, and the entry that hides it."""
    opening = new_opening(row.to_row())
    return Leaf(
        log_id=log_id,
        kind=row.kind,
        nonce=opening.nonce,
        row=opening.row,
        entry=entry_of(opening, label=label),
        created_at=now,
    )
