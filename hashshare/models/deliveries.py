"""Deliveries: the hub's record that it served a manifest in full to an organisation."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from hashshare.models.lists import HashList
from hashshare.models.organisations import Organisation


class Delivery(models.Model):
    """`key` is the fingerprint or access key prefix that fetched it.

    `acknowledged` is the version that the organisation had last acknowledged by then, null for none.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    version = models.PositiveBigIntegerField()
    acknowledged = models.PositiveBigIntegerField(null=True, blank=True)
    manifest_digest = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    key = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["list", "organisation", "-at"], name="delivery_newest_index"),
            models.Index(fields=["organisation", "-at"], name="delivery_received_index"),
            models.Index(fields=["list", "-at"], name="delivery_sent_index"),
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.version} to {self.organisation}"
