"""Acknowledgements: members' signed statements of which version they use, and up to which the old rows are gone."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from hashshare.models.lists import HashList
from hashshare.models.organisations import Organisation


class Acknowledgement(models.Model):
    """`statement` is the DSSE document as it was signed; `key` the fingerprint of the key that signed it.

    `purged`: no row that was withdrawn at this version or before is left at the member.
    """

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="acknowledgements", db_index=False
    )
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="acknowledgements", db_index=False)
    version = models.PositiveBigIntegerField()
    purged = models.PositiveBigIntegerField()
    manifest_digest = models.CharField(max_length=64)
    statement = models.TextField()
    key = models.CharField(max_length=64)
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "list", "version", "purged", "manifest_digest"],
                name="acknowledgement_once",
            ),
            models.CheckConstraint(condition=Q(purged__lte=F("version")), name="acknowledgement_purged_is_applied"),
        ]
        indexes = [
            models.Index(fields=["list", "organisation", "version"], name="acknowledgement_applied_index"),
            models.Index(fields=["list", "organisation", "purged"], name="acknowledgement_purged_index"),
            models.Index(fields=["organisation", "-received_at"], name="acknowledgement_newest_index"),
            models.Index(fields=["list", "-received_at"], name="acknowledgement_list_index"),
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.version} at {self.organisation}"
