"""Agreements: what two hubs' operators have agreed may cross between them. The publisher's own word comes on top."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from federation.models.peers import Peer


class Agreement(models.Model):
    """`publisher` is a domain, `slug` one of its lists or empty for all. Each hub keeps its own side of it.

    `direction`: out, from here to the peer, or in. `evidence`: what the receiving hub tells of its members.
    """

    class Direction(models.TextChoices):
        OUT = "out", "To the peer"
        IN = "in", "From the peer"

    class Evidence(models.TextChoices):
        DOCUMENTS = "documents", "Members' signed statements"
        COUNTS = "counts", "Numbers only"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="agreements")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    publisher = models.CharField(max_length=253)
    slug = models.CharField(max_length=63, blank=True)
    evidence = models.CharField(max_length=16, choices=Evidence.choices, default=Evidence.DOCUMENTS)
    until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["peer", "direction", "publisher", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["peer", "direction", "publisher", "slug"],
                condition=Q(ended_at=None),
                name="agreement_once_in_force",
            ),
            models.CheckConstraint(condition=Q(direction__in=["out", "in"]), name="agreement_direction_known"),
            models.CheckConstraint(condition=Q(evidence__in=["documents", "counts"]), name="agreement_evidence_known"),
        ]

    def __str__(self) -> str:
        return f"{self.publisher}{'/' + self.slug if self.slug else ''} {self.direction} {self.peer}"

    def in_force(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until is None or self.until > now)
