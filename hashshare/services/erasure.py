"""Erasing what may be kept no longer: the openings of old leaves, and the rows that say the same. The trees stay."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from hashshare.models import Acknowledgement, Deed, Delivery, Leaf, Log
from hashshare.services.logs import hidden_leaf, label_of
from hashshare.services.sealing import grow, place_waiting, publish, safely
from hashshare.wire.log.rows import ErasureRow

FORGOTTEN: Final[dict[str, Any]] = dict.fromkeys(
    ("row", "nonce", "organisation", "list", "delivery", "acknowledgement", "deed")
)
"""What is left of a leaf then: its place and its kind."""

BATCH: Final = 5_000


def erase_openings(*, now: datetime) -> dict[str, int]:
    """What was erased, by kind. Leaves first: no delivery or statement goes while a leaf still refers to it, so that a
    run that is killed is made up for by the next. One log that fails is named and keeps no other from it.
    """
    until = erased_before(now)
    logs = Log.objects.filter(Exists(old_leaves(until).filter(log=OuterRef("pk")))).order_by("pk")
    return {
        "openings": sum(safely(log.pk, lambda log_id: erase_log(log_id, until, now)) for log in list(logs)),
        "deliveries": deleted(Delivery.objects.filter(at__lt=until, leaf=None)),
        "acknowledgements": deleted(old_statements(until)),
        "deeds": deleted(Deed.objects.filter(at__lt=until, leaves=None)),
    }


def erased_before(now: datetime) -> datetime:
    """The day, from 00:00 UTC, that lies HASHSHARE_LOG_YEARS back; 29 February counts as the 28th."""
    year = now.year - settings.HASHSHARE_LOG_YEARS
    day = 28 if (now.month, now.day) == (2, 29) else now.day
    return now.replace(year=year, day=day, hour=0, minute=0, second=0, microsecond=0)


def old_leaves(until: datetime) -> QuerySet[Leaf]:
    """Whose openings go. Those of erasures stay: they name nobody, and their counts are what the publisher holds the
    missing openings against.
    """
    return Leaf.objects.filter(created_at__lt=until, row__isnull=False, index__isnull=False).exclude(
        kind=Leaf.Kind.ERASURE
    )


@transaction.atomic
def erase_log(log_id: int, until: datetime, now: datetime) -> int:
    """That it was done is logged itself, for the publisher to read, and sealed with it: whoever finds an opening gone
    finds the leaf that says so under the next checkpoint.
    """
    log = Log.objects.select_for_update(no_key=True, of=("self",)).get(pk=log_id)
    count = old_leaves(until).filter(log=log).update(**FORGOTTEN)
    if count:
        hidden_leaf(log.pk, ErasureRow(until, count, now), now, label=label_of(log)).save(force_insert=True)
        while placed := place_waiting(log):
            grow(log, placed, now)
        if log.kind == Log.Kind.PUBLICATION:
            publish(log, now)
    return count


def old_statements(until: datetime) -> QuerySet[Acknowledgement]:
    """All but the newest of each organisation about a list, which tells how things stand."""
    newer = Acknowledgement.objects.filter(
        organisation=OuterRef("organisation"), list=OuterRef("list"), received_at__gt=OuterRef("received_at")
    )
    return Acknowledgement.objects.filter(Exists(newer), received_at__lt=until, leaf=None)


def deleted(rows: QuerySet[Any]) -> int:
    count = 0
    while gone := list(rows.values_list("pk", flat=True)[:BATCH]):
        count += rows.model._default_manager.filter(pk__in=gone).delete()[0]
    return count
