"""The logs: what was published by this hub, and to whom a publisher's lists went. Leaves only ever come in.

A leaf's place and the tiles over it are written in one transaction (services/sealing.py), and never change after.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.acknowledgements import Acknowledgement
from hashshare.models.deeds import Deed
from hashshare.models.deliveries import Delivery
from hashshare.models.lists import HashList
from hashshare.models.organisations import Organisation
from hashshare.models.publishers import Publisher


def no_notes() -> list[str]:
    """None yet."""
    return []


def no_predecessors() -> list[dict[str, Any]]:
    """None yet."""
    return []


class Log(models.Model):
    """`checkpoint` is the signed note over `size` leaves for those entitled; the public one is as old as its hour.

    `root` is the 32 bytes that `checkpoint` signs. `origin` stays when the hub's address changes: it names the log.
    `cosigned`: public checkpoints with what witnesses cosigned of them, newest first (services/cosigning.py).
    `predecessors`: the logs that this one openly superseded, oldest first (services/successions.py).
    """

    class Kind(models.TextChoices):
        PUBLICATION = "publication", "What was published"
        DELIVERY = "delivery", "Who received what"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    publisher = models.OneToOneField(Publisher, on_delete=models.PROTECT, null=True, blank=True, related_name="log")
    origin = models.CharField(max_length=400, unique=True)
    size = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField(max_length=32)
    checkpoint = models.TextField()
    sealed_at = models.DateTimeField(default=timezone.now)
    public_size = models.PositiveBigIntegerField(default=0)
    public_checkpoint = models.TextField()
    published_at = models.DateTimeField(null=True, blank=True)
    cosigned: models.JSONField[list[str], list[str]] = models.JSONField(default=no_notes, blank=True)
    predecessors = models.JSONField(default=no_predecessors, blank=True)

    class Meta:
        ordering = ["origin"]
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="publication"), name="log_one_of_publications"),
            models.CheckConstraint(
                condition=Q(kind="publication", publisher__isnull=True) | Q(kind="delivery", publisher__isnull=False),
                name="log_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(public_size__lte=models.F("size")), name="log_public_is_no_more_than_all"
            ),
        ]

    def __str__(self) -> str:
        return self.origin


class Leaf(models.Model):
    """`index` is its place, null until it is sealed; `entry` what the log holds, null as soon as a tile has it.

    `nonce` and `row` are the opening, which is for `organisation` and the publisher; of a deed, for the hub alone.
    When it is erased, all that said whose it was goes too; kind and place stay. A place without a leaf is padding,
    whose opening the log key gives.
    """

    class Kind(models.TextChoices):
        PUBLICATION = "publication", "Signed metadata was accepted"
        DELIVERY = "delivery", "A manifest was delivered"
        ACKNOWLEDGEMENT = "acknowledgement", "A member acknowledged"
        RELAYED = "relayed", "A member acknowledged at another hub"
        ERASURE = "erasure", "Openings were erased"
        DEED = "deed", "A person did something"
        REPLACEMENT = "replacement", "A root was replaced without the old one's signature"
        PEER = "peer", "A peer was accepted, suspended, resumed or ended"
        TAKEOVER = "takeover", "A publisher's home moved to another hub"
        WITNESS = "witness", "This hub cosigns with another key"

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="leaves", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="leaves", db_index=False
    )
    list = models.ForeignKey(
        HashList, on_delete=models.PROTECT, null=True, blank=True, related_name="leaves", db_index=False
    )
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, null=True, blank=True, related_name="leaf")
    acknowledgement = models.OneToOneField(
        Acknowledgement, on_delete=models.PROTECT, null=True, blank=True, related_name="leaf"
    )
    deed = models.ForeignKey(
        Deed, on_delete=models.PROTECT, null=True, blank=True, related_name="leaves", db_index=False
    )
    nonce = models.BinaryField(max_length=32, null=True, blank=True)
    row = models.TextField(null=True, blank=True)
    entry = models.BinaryField(null=True, blank=True)
    index = models.PositiveBigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "leaves"
        ordering = ["log", "index", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["log", "index"], name="leaf_index_unique_per_log"),
            # Of a condition, so that the millions of other leaves cost it nothing.
            models.UniqueConstraint(fields=["deed"], condition=Q(deed__isnull=False), name="leaf_one_of_a_deed"),
            models.CheckConstraint(
                condition=Q(index__isnull=True, entry__isnull=False) | Q(index__isnull=False, entry__isnull=True),
                name="leaf_waits_with_its_entry",
            ),
            models.CheckConstraint(
                condition=Q(row__isnull=True, nonce__isnull=True) | Q(row__isnull=False, nonce__isnull=False),
                name="leaf_opening_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("publication", "delivery", "acknowledgement", "relayed"),
                        *("erasure", "deed", "replacement", "peer", "takeover", "witness"),
                    ]
                ),
                name="leaf_kind_known",
            ),
        ]
        indexes = [
            models.Index(fields=["log", "id"], condition=Q(index__isnull=True), name="leaf_waiting_index"),
            models.Index(
                fields=["organisation", "list", "index"],
                condition=Q(organisation__isnull=False),
                name="leaf_own_index",
            ),
            models.Index(fields=["log", "created_at"], condition=Q(row__isnull=False), name="leaf_age_index"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({'waiting' if self.index is None else self.index})"


class LogTile(models.Model):
    """A tile of hashes, or a bundle of entries at level -1 (C2SP tlog-tiles), as wide as the log has made it so far."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="tiles", db_index=False)
    level = models.SmallIntegerField()
    index = models.PositiveBigIntegerField()
    body = models.BinaryField()

    class Meta:
        ordering = ["log", "level", "index"]
        constraints = [
            models.UniqueConstraint(fields=["log", "level", "index"], name="logtile_place_unique"),
            models.CheckConstraint(condition=Q(level__gte=-1, level__lte=7), name="logtile_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.log} {self.level}/{self.index}"
