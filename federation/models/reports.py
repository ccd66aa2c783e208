"""Reports between hubs, at both ends: what was told of a mirrored list to the hub it comes from, and what was taken."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from federation.models.peers import Peer
from hashshare.models import HashList


class ReportCursor(models.Model):
    """How far a peer has been told of a list that comes from it. `sequence` is that of the newest report made.

    `pending`: that report as it was signed, until the peer has taken it, so that it is told the same again whatever
    happens in between; `pending_items`: what it tells, item -> digest. `settled_at`: statements from before are told.
    `stamp`: of when nothing was left to tell, to know in few questions that nothing is (selectors/reporting.py).
    `taken`: the sequence number that the peer took last; `trouble`: the problem document of the last failure.
    """

    list = models.ForeignKey(HashList, on_delete=models.CASCADE, related_name="report_cursors")
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="report_cursors")
    sequence = models.PositiveBigIntegerField(default=0)
    pending = models.TextField(blank=True)
    pending_items: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    stamp = models.CharField(max_length=64, blank=True)
    taken = models.PositiveBigIntegerField(default=0)
    taken_at = models.DateTimeField(null=True, blank=True)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = "reports to a hub"
        verbose_name_plural = "reports to hubs"
        ordering = ["list", "peer"]
        constraints = [
            models.UniqueConstraint(fields=["list", "peer"], name="reportcursor_one_per_list_and_peer"),
            models.CheckConstraint(
                condition=Q(taken__lte=models.F("sequence")), name="reportcursor_took_what_was_made"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list} to {self.peer}"


class ToldItem(models.Model):
    """One thing that the peer has taken: the numbers of a hub, a member or a statement (`item`), and their digest."""

    cursor = models.ForeignKey(ReportCursor, on_delete=models.CASCADE, related_name="told", db_index=False)
    item = models.CharField(max_length=2_400)
    digest = models.CharField(max_length=64)
    told_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["cursor", "item"]
        constraints = [models.UniqueConstraint(fields=["cursor", "item"], name="tolditem_once")]

    def __str__(self) -> str:
        return self.item


class TakenReport(models.Model):
    """The newest report that a peer's list was told with. `previous` is the sequence number of the one before.

    `digest`: SHA-256 of the document, by which the same is known when it comes again. `refused`: the problem document
    of the one that was refused last, until one is taken.
    """

    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="taken_reports")
    list = models.ForeignKey(HashList, on_delete=models.CASCADE, related_name="taken_reports")
    sequence = models.PositiveBigIntegerField()
    previous = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64)
    taken_at = models.DateTimeField(default=timezone.now)
    refused: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["list", "peer"]
        constraints = [models.UniqueConstraint(fields=["list", "peer"], name="takenreport_one_per_list_and_peer")]

    def __str__(self) -> str:
        return f"{self.list} from {self.peer}: {self.sequence}"
