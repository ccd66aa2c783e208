"""Accepted TUF metadata, byte for byte as it was signed. Rows are only added, or pruned when out of use."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.lists import HashList
from hashshare.models.publishers import Publisher


class Metadata(models.Model):
    """`role`: root, targets, snapshot, timestamp, major or a list's `tuf_id`; of timestamps only the newest is kept."""

    publisher = models.ForeignKey(Publisher, on_delete=models.PROTECT, related_name="metadata")
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, null=True, blank=True, related_name="metadata")
    role = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField()
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "metadata"
        ordering = ["publisher", "role", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["publisher", "role", "version"], name="metadata_version_unique"),
            models.UniqueConstraint(
                fields=["publisher"], condition=Q(role="timestamp"), name="metadata_one_timestamp_per_publisher"
            ),
            models.CheckConstraint(
                condition=Q(role__in=["root", "targets", "snapshot", "timestamp", "major"], list__isnull=True)
                | (Q(role__regex=r"^[0-9a-f]{16}$") & Q(list__isnull=False)),
                name="metadata_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}.{self.role}.json"

    @property
    def content(self) -> bytes:
        """The signed bytes; PostgreSQL hands them over as a memoryview."""
        return bytes(self.body)
