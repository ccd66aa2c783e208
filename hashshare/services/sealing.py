"""Sealing: giving waiting leaves their places, growing the tree over them, and signing its new root.

One transaction a batch, which holds the log's row locked: so a killed worker has sealed a batch whole or not at all,
and of two at work at once one passes the log over. Readers and deliveries wait for neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from hashshare.log_keys import FILE, log_key
from hashshare.models import Leaf, Log, LogTile
from hashshare.selectors.logs import tile_reader
from hashshare.selectors.padding import padding_opening
from hashshare.services.runs import spared
from hashshare.wire import errors, keys
from hashshare.wire.log.checkpoints import Checkpoint, sign_checkpoint
from hashshare.wire.log.frontier import Frontier
from hashshare.wire.log.leaves import entry_of
from hashshare.wire.log.notes import Verifier, open_note
from hashshare.wire.log.tiles import WIDTH, Tile

BATCH: Final = 32_768
"""Leaves in a transaction: they and their tiles are some 20 MiB of the worker's memory."""

TILES_AT_ONCE: Final = 64

PLACE: Final = """
    WITH due AS (
        SELECT id, entry, row_number() OVER (ORDER BY id) - 1 AS number
        FROM (SELECT id, entry FROM hashshare_leaf WHERE log_id = %s AND index IS NULL ORDER BY id LIMIT %s) AS waiting
    )
    UPDATE hashshare_leaf SET index = %s + due.number, entry = NULL
    FROM due WHERE hashshare_leaf.id = due.id
    RETURNING due.number, due.entry
"""
"""In SQL, because the ORM cannot number rows while it updates them, and one update for each leaf takes minutes."""


def seal_logs(*, now: datetime) -> int:
    """Seal whatever waits in any log; how many leaves. One log that fails is named and keeps no other from it."""
    return sum(safely(log_id, lambda log_id: seal_log(log_id, now=now)) for log_id in waiting_logs())


def waiting_logs() -> list[int]:
    return list(Log.objects.filter(Exists(waiting())).order_by("pk").values_list("pk", flat=True))


def waiting() -> QuerySet[Leaf]:
    return Leaf.objects.filter(log=OuterRef("pk"), index=None)


def safely(log_id: int, work: Callable[[int], int]) -> int:
    with spared("The log %s could not be sealed.", log_id):
        return work(log_id)
    return 0


def seal_log(log_id: int, *, now: datetime) -> int:
    """Everything that waits in one log; how many leaves, 0 while another worker is at it."""
    total = 0
    while sealed := seal_batch(log_id, now=now):
        total += sealed
    return total


@transaction.atomic
def seal_batch(log_id: int, *, now: datetime) -> int:
    log = locked(Log.objects.filter(pk=log_id))
    if log is None:
        return 0
    placed = place_waiting(log)
    if placed:
        grow(log, placed, now)
        if log.kind == Log.Kind.PUBLICATION:
            publish(log, now)
    return len(placed)


def locked(rows: QuerySet[Log]) -> Log | None:
    """The log's row, locked; None when it is not there or another worker has it. Its key stays free for others to
    refer to: a delivery that is being recorded must not wait.
    """
    return rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()


def place_waiting(log: Log) -> list[bytes]:
    """Give up to BATCH waiting leaves the next indexes, in the order of their ids; their entries in that order."""
    with connection.cursor() as cursor:
        cursor.execute(PLACE, [log.pk, BATCH, log.size])
        placed = cursor.fetchall()
    placed.sort()
    return [bytes(entry) for _, entry in placed]


def grow(log: Log, entries: Iterable[bytes], now: datetime) -> None:
    """Append entries to the tree and sign it. Call with the log's row locked.

    Raises LogKeyChanged when another key than ours signed it so far, MalformedLog when the tiles at its edge are not
    those that were signed: nothing may be built on them.
    """
    check_key(log)
    frontier = Frontier(log.size, tile_reader(log))
    if frontier.root() != bytes(log.root):
        raise errors.MalformedLog(f"The tiles of {log} do not lead to the root that was signed at {log.size} leaves.")
    keep_tiles(log, frontier.extend(entries))
    log.size, log.root, log.sealed_at = frontier.size, frontier.root(), now
    log.checkpoint = sign_checkpoint(Checkpoint(log.origin, log.size, log.root), key=log_key().private)
    log.save(update_fields=["size", "root", "checkpoint", "sealed_at"])


def check_key(log: Log) -> None:
    """A machine without the right log.pem makes one of its own: what it signs would alarm every member for good."""
    key = log_key()
    try:
        open_note(log.checkpoint, Verifier(log.origin, key.public))
    except errors.BadSignature as fault:
        raise errors.LogKeyChanged(
            f"{log} was signed by another key than the {FILE} of this machine, {keys.fingerprint(key.public)}.",
            next_step=f"Copy {FILE} from where the logs were sealed. If it is lost: manage.py replace_log_key",
        ) from fault


def keep_tiles(log: Log, tiles: Iterator[Tile]) -> None:
    """A partial tile is replaced by its wider self."""
    while rows := [
        LogTile(log=log, level=it.level, index=it.index, body=it.body) for it in islice(tiles, TILES_AT_ONCE)
    ]:
        LogTile.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["log", "level", "index"], update_fields=["body"]
        )


# --- What the public sees ----------------------------------------------------------------------------------------


def publish_checkpoints(*, now: datetime) -> int:
    """Show the public, once in each hour, the delivery logs as they then are, filled up to whole tiles: how many logs.

    At least one tile more than the hour before, so that nobody can tell an hour without deliveries from one with a
    hundred. What was missed while the hub was down is not made up for.
    """
    return sum(safely(log_id, lambda log_id: publish_log(log_id, now=now)) for log_id in due_logs(now))


def due_logs(now: datetime) -> list[int]:
    return list(due(now).order_by("pk").values_list("pk", flat=True))


def due(now: datetime) -> QuerySet[Log]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Log.objects.filter(kind=Log.Kind.DELIVERY, published_at__lt=hour)


def publish_log(log_id: int, *, now: datetime) -> int:
    """1, or 0 when another worker has done it or is at it."""
    seal_log(log_id, now=now)
    with transaction.atomic():
        log = locked(due(now).filter(pk=log_id))
        if log is None:
            return 0
        placed = place_waiting(log)
        first = log.size + len(placed)
        grow(log, chain(placed, (padding_entry(log, index) for index in range(first, padded(first, log)))), now)
        publish(log, now)
    return 1


def padded(size: int, log: Log) -> int:
    """How long the log has to be: whole tiles, and at least one that the public has not seen."""
    tiles = -(-size // WIDTH)
    return max(tiles, log.public_size // WIDTH + 1) * WIDTH


def padding_entry(log: Log, index: int) -> bytes:
    return entry_of(padding_opening(log, index))


def publish(log: Log, now: datetime) -> None:
    log.public_size, log.public_checkpoint, log.published_at = log.size, log.checkpoint, now
    log.save(update_fields=["public_size", "public_checkpoint", "published_at"])
