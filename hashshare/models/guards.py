"""Digests that the operator keeps out of every list because they are known to be harmless."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class GuardedDigest(models.Model):
    """Beside the built-in guard list of the wire format. `digest` is lower-case hex."""

    algorithm = models.CharField(max_length=64)
    digest = models.CharField(max_length=2048)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["algorithm", "digest"]
        constraints = [models.UniqueConstraint(fields=["algorithm", "digest"], name="guardeddigest_unique")]

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest}"
