"""New beginnings: an operator lets a publisher that lost its root begin anew under its own name; what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.publishers import Publisher


class Beginning(models.Model):
    """Allowed until `ends_at`, unless `withdrawn_at`; used at `begun_at`. `before` and `after` are root fingerprints,
    `after` empty until it was used.
    """

    publisher = models.ForeignKey(Publisher, on_delete=models.PROTECT, related_name="beginnings")
    before = models.CharField(max_length=64, verbose_name="root before")
    after = models.CharField(max_length=64, blank=True, verbose_name="root after")
    allowed_by = models.CharField(max_length=254)
    reason = models.CharField(max_length=500)
    allowed_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "new beginning"
        ordering = ["-allowed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["publisher"],
                condition=Q(withdrawn_at__isnull=True, begun_at__isnull=True),
                name="beginning_one_open_per_publisher",
            ),
            models.CheckConstraint(
                condition=Q(begun_at__isnull=True, after="") | (Q(begun_at__isnull=False) & ~Q(after="")),
                name="beginning_used_has_its_root",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publisher}, allowed {self.allowed_at:%Y-%m-%d %H:%M}"


class FormerMetadata(models.Model):
    """Roots, targets and majors from before, byte for byte as they were signed: the log has their digests for good."""

    beginning = models.ForeignKey(Beginning, on_delete=models.PROTECT, related_name="former")
    role = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField()
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    accepted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "former metadata"
        ordering = ["beginning", "role", "version"]
        constraints = [
            models.UniqueConstraint(fields=["beginning", "role", "version"], name="formermetadata_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.version}.{self.role}.json, until {self.beginning}"
