"""Restorations: each time that this hub was brought back from a backup, and since when it is itself again."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Restoration(models.Model):
    """`made_at` is when the backup was made. Until `recovered_at` the hub changes and signs nothing.

    `witness_key` came back with the backup, and may have cosigned since what the hub no longer knows.
    """

    backup = models.CharField(max_length=32, help_text="The backup's id")
    made_at = models.DateTimeField()
    restored_at = models.DateTimeField(default=timezone.now)
    recovered_at = models.DateTimeField(null=True, blank=True)
    witness_key = models.CharField(
        max_length=64, blank=True, help_text="Raw public key, hex, that cosigned before and never does again"
    )
    jump = models.PositiveBigIntegerField(default=0, help_text="By how much signed versions were raised")

    class Meta:
        ordering = ["-restored_at"]

    def __str__(self) -> str:
        return f"Backup of {self.made_at:%Y-%m-%d %H:%M}, restored {self.restored_at:%Y-%m-%d %H:%M}"
