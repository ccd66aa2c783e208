"""Publishers: a hotline's domain name and the TUF repository that goes with it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.organisations import Organisation


class Publisher(models.Model):
    """`root_fingerprint` is the SHA-256 of root metadata version 1, empty until that was accepted.

    `awaited_since`: the hub was restored from a backup then, and this publisher has not yet said what is its newest.
    `version_floor`: snapshots and timestamps have higher versions than this.
    `mirrored_from`: the hub that this publisher's repository is copied from, byte for byte; null where it publishes
    here.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.CharField(max_length=253, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="publishers")
    root_fingerprint = models.CharField(max_length=64, blank=True)
    awaited_since = models.DateTimeField(null=True, blank=True)
    version_floor = models.PositiveBigIntegerField(default=0)
    mirrored_from = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="mirrored_publishers"
    )
    sandbox = models.BooleanField(
        default=False, help_text="Kept by this hub: its entries are synthetic, to integrate against"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["domain"]
        constraints = [
            models.CheckConstraint(
                condition=Q(domain__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$"),
                name="publisher_domain_shape",
            ),
        ]

    def __str__(self) -> str:
        return self.domain
