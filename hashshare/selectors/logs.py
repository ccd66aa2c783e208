"""The logs as they are read: tiles, checkpoints and proofs. What the public sees is as old as its hour."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from hashshare.log_keys import PUBLICATION
from hashshare.models import Acknowledgement, HashList, Leaf, Log, LogTile, Organisation, Publisher
from hashshare.selectors.callers import Caller
from hashshare.selectors.compiled import CompiledQuery
from hashshare.selectors.entitlements import own_publisher, readable_publisher
from hashshare.selectors.recovery import refuse_restored
from hashshare.wire import errors
from hashshare.wire.log.tiles import WIDTH, TilePlace, TileReader, cut, width_at
from hashshare.wire.log.trees import Tree

NOWHERE = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


def delivery_log(*, publisher: Publisher) -> Log | None:
    return Log.objects.filter(publisher=publisher).first()


def publication_log() -> Log | None:
    return Log.objects.filter(kind=Log.Kind.PUBLICATION).first()


def newest_acknowledged(organisation: uuid.UUID, hash_list: uuid.UUID) -> QuerySet[Acknowledgement]:
    return Acknowledgement.objects.filter(organisation=organisation, list=hash_list).order_by("-version")


LOG_AND_ACKNOWLEDGED = CompiledQuery(
    lambda marks: (
        Log.objects.filter(publisher=marks["publisher"])
        .order_by()
        .annotate(
            acknowledged=Subquery(newest_acknowledged(marks["organisation"], marks["list"]).values("version")[:1])
        )
        .values_list("pk", "acknowledged")
    ),
    publisher=NOWHERE[0],
    organisation=NOWHERE[1],
    list=NOWHERE[2],
)


def log_and_acknowledged(*, hash_list: HashList, organisation: Organisation) -> tuple[int, int | None] | None:
    """The id of the log that a delivery of the list goes into, and the version that the organisation acknowledged last;
    None before there is a log. Asked within every delivery, so it is one query that is made once.
    """
    rows = LOG_AND_ACKNOWLEDGED.rows(publisher=hash_list.publisher_id, organisation=organisation.pk, list=hash_list.pk)
    return (rows[0][0], rows[0][1]) if rows else None


def readable_log(*, caller: Caller, domain: str, now: datetime) -> Log:
    """The delivery log of a publisher that the caller reads a list of, or is. Raises NotEntitled, NotFound."""
    return begun(readable_publisher(caller=caller, domain=domain, now=now))


def own_log(*, caller: Caller, domain: str) -> Log:
    """The caller's own delivery log. Raises NotEntitled, NotFound."""
    return begun(own_publisher(caller=caller, domain=domain))


def begun(publisher: Publisher) -> Log:
    """Raises NotFound; HubRestored in a time in which it may be shorter than it was."""
    refuse_restored()
    log = delivery_log(publisher=publisher)
    if log is None:
        raise errors.NotFound(f"The log of {publisher} begins with its first root.")
    return log


@dataclass(frozen=True, slots=True)
class PublicLog:
    """What the public sees of a log: its first `size` leaves, under a signed checkpoint."""

    log: Log
    size: int
    checkpoint: str


def public_log(*, name: str, number: int = 1) -> PublicLog:
    """By a publisher's domain, or `publication`; `number` counts those that superseded one another. One that was
    superseded is as it was last shown. Raises NotFound; HubRestored as `begun` does.
    """
    refuse_restored()
    log = publication_log() if name == PUBLICATION else Log.objects.filter(publisher__domain=name).first()
    if log is None or not 1 <= number <= len(log.predecessors) + 1:
        raise errors.NotFound("There is no such log here.")
    if number == len(log.predecessors) + 1:
        return PublicLog(log, log.public_size, shown_checkpoint(log))
    closed = log.predecessors[number - 1]
    return PublicLog(log, closed["public_size"], closed["public_checkpoint"])


def shown_checkpoint(log: Log) -> str:
    """The public checkpoint, with what witnesses cosigned of this very one: theirs of another is not found under it."""
    return next((note for note in log.cosigned if note.startswith(log.public_checkpoint)), log.public_checkpoint)


def successions(*, log: Log, public: bool = False) -> list[str]:
    """The signed statements by which it superseded others, oldest first."""
    return [closed["public_statement" if public else "statement"] for closed in log.predecessors]


def tile_body(*, log: Log, place: TilePlace, size: int) -> bytes:
    """The tile as a tree of `size` leaves has it: whole, or cut to the width asked for. Raises NotFound beyond that."""
    if place.width > width_at(size, place.level, place.index):
        raise errors.NotFound("The log does not reach there.")
    return tile_reader(log)(place.level, place.index, place.width)


def tile_reader(log: Log) -> TileReader:
    """Reads the log's tiles from the database, one query each."""
    rows = LogTile.objects.filter(log=log)

    def read(level: int, index: int, width: int) -> bytes:
        return cut(level, bytes(rows.values_list("body", flat=True).get(level=level, index=index)), width)

    return read


def prefetched_reader(log: Log, leaves: Iterable[int]) -> TileReader:
    """The same for many proofs: the lowest tiles over `leaves` (their indexes) are fetched in one query."""
    rows = LogTile.objects.filter(log=log, level=0, index__in={index // WIDTH for index in leaves})
    held, read = {index: bytes(body) for index, body in rows.values_list("index", "body")}, tile_reader(log)

    def read_held(level: int, index: int, width: int) -> bytes:
        if level == 0 and index in held:
            return cut(level, held[index], width)
        return read(level, index, width)

    return read_held


@dataclass(frozen=True, slots=True)
class LogSeen:
    """`consistency`: raw hashes that show the log to extend what was seen of it."""

    origin: str
    checkpoint: str
    consistency: list[bytes]


def log_seen_from(*, publisher: Publisher, size: int) -> LogSeen:
    """The publisher's log for somebody who has seen `size` leaves of it. Whoever has seen more than there are is not
    helped by a proof: the checkpoint tells.
    """
    log = begun(publisher)
    proof = consistency(log=log, old=size) if size <= log.size else []
    return LogSeen(log.origin, log.checkpoint, proof)


def consistency(*, log: Log, old: int, new: int | None = None) -> list[bytes]:
    """That the log of `new` leaves (all of them when None) begins with the `old` first. Raises UsageError."""
    new = log.size if new is None else new
    if not 0 <= old <= new <= log.size:
        raise errors.UsageError(f"The log has {log.size} leaves: 0 <= old <= new <= {log.size}.", size=log.size)
    return Tree(new, tile_reader(log)).consistency_proof(old)


SEALED_WITHIN = timedelta(minutes=5)
"""A leaf that waits longer says that no worker seals."""


def with_waiting(logs: QuerySet[Log]) -> QuerySet[Log]:
    """Each with the number of leaves that wait to be sealed (`waiting`), and since when the first does (`oldest`)."""
    waits = Leaf.objects.filter(log=OuterRef("pk"), index=None).order_by()
    count = waits.values("log").annotate(number=Count("pk")).values("number")
    return logs.annotate(
        waiting=Coalesce(Subquery(count), 0), oldest=Subquery(waits.order_by("pk").values("created_at")[:1])
    )


def is_late(log: Log, *, now: datetime) -> bool:
    """Of a log `with_waiting`."""
    oldest: datetime | None = getattr(log, "oldest", None)
    return oldest is not None and now - oldest > SEALED_WITHIN
