"""Findings: what a peer did that it cannot have done honestly, or has to explain, with what proves it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q

from federation.models.peers import Peer
from hashshare.models import Person


class Finding(models.Model):
    """`subject` is the log's origin or the publisher. `documents`: [{"name", "text"}], signed notes and metadata that
    prove it to third parties without this hub's word. It stays until somebody has looked and says what came of it.
    """

    class Kind(models.TextChoices):
        SPLIT_VIEW = "split_view", "Two histories of one log"
        LOG_SHRANK = "log_shrank", "A log that became shorter"
        KEY_CHANGED = "key_changed", "A log signed by another key"
        ROOT_REPLACED = "root_replaced", "A root that was replaced"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    peer = models.ForeignKey(Peer, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=400)
    detail = models.TextField()
    documents: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    settlement = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-found_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["peer", "kind", "subject"], condition=Q(settled_at=None), name="finding_open_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["split_view", "log_shrank", "key_changed", "root_replaced"]),
                name="finding_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
